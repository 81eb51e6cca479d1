"""The contract every chain engine keeps; one of your own inherits its tests:

class TestMyEngine(EngineContract):
    engine = "my-engine"

Expected gas is the yellow paper's and the EIPs', worked out by hand beside each program.
"""

from typing import Any

import pytest

from flnft_sim.chain.engine import ENGINES, BlockEnv, Engine
from flnft_sim.chain.errors import TransactionRefused
from flnft_sim.chain.keys import ChainKey
from flnft_sim.chain.transactions import Call, created_address, signed

_ONE, _OTHER = (ChainKey.from_seed(bytes([number] * 32)) for number in (1, 2))
_BLOCK = BlockEnv(1, 1_700_000_001)


class EngineContract:
    """Subclass it in a test module, set `engine` to a registered name, and pytest runs the rest."""

    engine: str
    forks = ("shanghai", "cancun", "prague")

    def build(self, fork: str = "prague") -> Engine:
        """Make an engine with one rich account."""
        return ENGINES.get(self.engine)(fork=fork, chain_id=7, alloc={_ONE.address: 10**20})

    def send(self, engine: Engine, call: Call, block: BlockEnv = _BLOCK, **told: Any) -> Any:
        """Execute a transaction of the rich account."""
        nonce = engine.account(_ONE.address).nonce
        given: dict[str, Any] = {"chain_id": 7, "nonce": nonce, "gas": 1_000_000, "fork": engine.fork} | told
        return engine.execute(block, signed(call, _ONE, **given))

    def made(self, engine: Engine, code: str) -> str:
        """Put a contract of this code (hex) on the chain: init code that copies what follows it and returns it."""
        body = bytes.fromhex(code)
        init = bytes.fromhex(f"60{len(body):02x}600c60003960{len(body):02x}6000f3") + body
        done = self.send(engine, Call(None, init))
        assert done.success and done.created
        assert engine.account(done.created).code == body
        return str(done.created)

    def test_a_transfer_takes_21000_gas_and_moves_the_money(self) -> None:
        """Also between accounts that were not there before."""
        for fork in self.forks:
            engine = self.build(fork)
            done = self.send(engine, Call(_OTHER.address, b"", 5))
            assert (done.success, done.gas_used, done.logs, done.output) == (True, 21_000, (), b"")
            assert engine.account(_OTHER.address).balance == 5
            assert engine.account(_ONE.address).balance == 10**20 - 5
            assert engine.account(_ONE.address).nonce == 1

    def test_gas_is_paid_to_the_producer_and_the_base_fee_is_burnt(self) -> None:
        """Of 3 gwei a gas with a base fee of 1, the producer gets 2 … which is what is left of the price."""
        engine, block = self.build(), BlockEnv(1, 1_700_000_001, coinbase=_OTHER.address, base_fee=1)
        self.send(engine, Call(_ONE.address, b""), block, gas_price=3)
        assert engine.account(_OTHER.address).balance == 21_000 * 2
        assert engine.account(_ONE.address).balance == 10**20 - 21_000 * 3

    def test_data_has_its_price_and_its_floor(self) -> None:
        """100 bytes: 21000 + 16 each, and from Prague on at least 21000 + 40 each (EIP-7623)."""
        for fork in self.forks:
            engine = self.build(fork)
            assert self.send(engine, Call(_OTHER.address, b"\1" * 100)).gas_used == (
                25_000 if fork == "prague" else 22_600
            )

    def test_storage_costs_and_refunds_by_eip_2929_and_3529(self) -> None:
        """SSTORE(0, calldata): cold 2100; 0 → 1 20000, 1 → 2 2900, 2 → 0 2900 less a refund of 4800."""
        for fork in self.forks:
            engine = self.build(fork)
            address = self.made(engine, "5f355f5500")  # PUSH0 CALLDATALOAD PUSH0 SSTORE STOP: 2 + 3 + 2
            word = [number.to_bytes(32, "big") for number in (1, 2, 0)]
            used = [self.send(engine, Call(address, data)).gas_used for data in word]
            data = [31 * 4 + 16, 31 * 4 + 16, 32 * 4]
            expected = [21_000 + data[0] + 7 + 22_100, 21_000 + data[1] + 7 + 5_000, 21_000 + data[2] + 7 + 5_000]
            expected[2] -= min(4_800, expected[2] // 5)
            assert used == expected

    def test_events_carry_address_topics_and_data(self) -> None:
        """LOG1 of one word of memory."""
        engine = self.build()
        address = self.made(engine, "602a5f5260075f600160005ff3".replace("5f600160005ff3", "60205fa100"))
        done = self.send(engine, Call(address, b""))
        [log] = done.logs
        assert (log.address, log.topics, log.data) == (address, ((7).to_bytes(32, "big"),), (42).to_bytes(32, "big"))

    def test_a_revert_is_an_outcome_with_its_data_and_changes_nothing_but_nonce(self) -> None:
        """The money stays, the gas used is counted."""
        engine = self.build()
        address = self.made(engine, "60075f5260205ffd")  # MSTORE(0, 7) REVERT(0, 32)
        done = self.send(engine, Call(address, b"", 9))
        assert (done.success, done.failure, done.output) == (False, "Revert", (7).to_bytes(32, "big"))
        assert engine.account(address).balance == 0 and engine.account(_ONE.address).nonce == 2
        assert 21_000 < done.gas_used < 21_100

    def test_out_of_gas_takes_all_gas(self) -> None:
        """A loop that never ends."""
        engine = self.build()
        address = self.made(engine, "5b5f56")  # JUMPDEST PUSH0 JUMP
        done = self.send(engine, Call(address, b""), gas=50_000)
        assert (done.success, done.failure, done.gas_used) == (False, "OutOfGas", 50_000)

    def test_a_contract_sees_the_block(self) -> None:
        """TIMESTAMP, NUMBER, COINBASE, PREVRANDAO, CHAINID, BASEFEE, GASLIMIT."""
        block = BlockEnv(1, 1_700_000_009, 20_000_000, _OTHER.address, bytes(range(32)), 3)
        seen = {"42": 1_700_000_009, "43": 1, "41": int(_OTHER.address, 16), "46": 7, "48": 3, "45": 20_000_000}
        seen["44"] = int.from_bytes(bytes(range(32)), "big")
        engine = self.build()
        for opcode, value in seen.items():
            address = self.made(engine, f"{opcode}5f5260205ff3")
            done = engine.call(block, address, b"", gas=100_000)
            assert int.from_bytes(done.output, "big") == value, opcode

    def test_a_call_leaves_the_state_as_it_was(self) -> None:
        """Whatever it would do, and whoever asks with whatever money."""
        engine = self.build()
        address = self.made(engine, "5f355f5500")
        before = engine.state_root()
        done = engine.call(_BLOCK, address, b"\1" * 32, sender=_OTHER.address, value=10**30, gas=100_000)
        assert done.success and done.gas_used > 22_000
        made = engine.call(_BLOCK, None, bytes.fromhex("60005ff3"), gas=100_000)
        assert made.success
        assert engine.state_root() == before

    def test_a_snapshot_brings_the_state_back(self) -> None:
        """Twice, and what follows is as if nothing had been."""
        engine = self.build()
        address, data = self.made(engine, "5f355f5500"), b"\1" * 32
        mark, root = engine.snapshot(), engine.state_root()
        outcomes = []
        for _ in range(2):
            outcomes.append((self.send(engine, Call(address, data)), engine.state_root()))
            assert engine.state_root() != root
            engine.revert(mark)
            assert engine.state_root() == root
        assert outcomes[0] == outcomes[1]

    def test_the_address_of_a_contract_follows_from_sender_and_nonce(self) -> None:
        """As `created_address` says it beforehand."""
        engine = self.build()
        assert self.made(engine, "00") == created_address(_ONE.address, 0)

    @pytest.mark.parametrize(
        ("told", "what"),
        [
            ({"chain_id": 8}, "is for chain 8, this is chain 7"),
            ({"nonce": 5}, "has nonce 5, its sender's next one is 0"),
            ({"gas": 20_000}, "has a gas limit of 20000, its data alone takes 21000"),
            ({"gas_price": 10**18}, "give the account more money"),
        ],
    )
    def test_what_no_block_can_hold_is_refused_in_one_sentence(self, told: dict[str, Any], what: str) -> None:
        """And changes nothing."""
        engine = self.build()
        before = engine.state_root()
        with pytest.raises(TransactionRefused, match=what):
            self.send(engine, Call(_OTHER.address, b""), **told)
        with pytest.raises(TransactionRefused):
            engine.execute(_BLOCK, b"\x02\xc0no transaction")
        assert engine.state_root() == before
