"""The backend `evm`: an engine in this process."""

from collections.abc import Iterable

from flnft_sim.chain.backend import EPOCH, Built, Candidate, Genesis, Signing
from flnft_sim.chain.engine import ENGINES, ZERO_ADDRESS, Account, BlockEnv, Executed
from flnft_sim.chain.receipts import logs_bloom, receipts_root
from flnft_sim.chain.transactions import Call


class EmbeddedChain(Signing):
    """A chain in memory, from its genesis on. Its roots are what any other engine must come to."""

    def __init__(self, genesis: Genesis) -> None:
        super().__init__()
        self.genesis, self.last = genesis, BlockEnv(0, EPOCH)
        maker = ENGINES.get(genesis.engine)
        self.engine = maker(fork=genesis.fork, chain_id=genesis.chain_id, alloc=genesis.alloc)

    def build(self, env: BlockEnv, candidates: Iterable[Candidate], *, keep: bool = True) -> Built:
        """Make a block of the candidates in order, up to the first that does not fit."""
        mark = None if keep else self.engine.snapshot()
        room = env.gas_limit
        executed: list[Executed | None] = []
        raws = []
        for candidate in candidates:
            if candidate.gas_limit > room:
                break
            done = None
            if candidate.raw is not None:
                done = self.engine.execute(env, candidate.raw)
                raws.append(candidate.raw)
            executed.append(done)
            room -= candidate.gas_limit if done is None else done.gas_used
        if not keep:
            self.engine.revert(mark)
            return Built(env, len(executed), tuple(executed), tuple(raws))
        own = [done for done in executed if done is not None]
        roots = self.engine.state_root(), receipts_root(own), logs_bloom(own)
        return self._keep(Built(env, len(executed), tuple(executed), tuple(raws), *roots))

    def try_call(
        self, call: Call, *, sender: str = ZERO_ADDRESS, gas: int | None = None, timestamp: int | None = None
    ) -> Executed:
        """Return what a call would come to in the next block."""
        env = self.next_block(timestamp)
        return self.engine.call(
            env, call.to, call.data, sender=sender, value=call.value, gas=env.gas_limit if gas is None else gas
        )

    def account(self, address: str) -> Account:
        """Return what the state holds of an address."""
        return self.engine.account(address)
