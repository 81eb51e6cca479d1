"""Hold a run's tables against its contracts: every message executed again, then accounts, bids and licences read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from flnft_sim.errors import bare, shown
from flnft_sim.ledger import Block, Chain, VerificationError, address_of, to_units

type Row = Mapping[str, str]

WEI_PER_UNIT = 10**12
PRODUCER = "producer"  # the role of who makes blocks
_FIELD = "transaction"  # of a ledger's transaction: the hash of the raw one that goes with it


@dataclass(frozen=True)
class _Sale:
    """An auction's last window, as the contract holds it."""

    number: int
    token: int
    price: int
    """wei"""
    bids: Mapping[str, tuple[int, bool]]
    """Of each bidder whose bid was opened: wei, and whether it won."""


class ExecutedRun:
    """The contracts of a run, brought to their end by executing what its blocks hold."""

    def __init__(self, public: Chain, *, engine: str | None = None) -> None:
        """Execute it all; raises `VerificationError` naming the block and field where anything comes to something else.

        By the run's own engine, or by `engine`.
        """
        from flnft_sim.chain import contracts
        from flnft_sim.chain.replay import replay

        self._record, self._public = public.blocks[0].payload["execution"], public
        executed = [block for block in public.blocks if block.execution is not None]
        _check_named(executed)
        _check_frames(public, self._record)
        records = [*self._record["setup"], *(block.execution or {} for block in executed)]
        self._chain = replay(self._record["genesis"], records, engine=engine)
        addresses = self._record["contracts"]
        self._nft = contracts.FlNft(addresses["FlNft"])
        self._auction = contracts.SealedAuction(addresses["SealedAuction"])
        self._senders = len(self._record["identities"])
        self.messages = sum(len(record["raw"]) for record in records)

    def check(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Hold `accounts`, `bids` and `licences` of a finished run against the contracts' state."""
        names = {row["name"]: self._record["identities"].get(row["address"], "") for row in tables["accounts"]}
        sales = self._sales()
        self._check_identities()
        self._check_accounts(tables["accounts"])
        self._check_bids(tables["bids"], names, sales)
        self._check_licences(tables["licences"], names, sales)

    def _check_identities(self) -> None:
        """Who was registered under a key of the ledgers is who the genesis block says it is."""
        for event in self._events("Registered"):
            for bidder, identity in event["bidders"]:
                if self._record["identities"].get(address_of(identity)) != bidder:
                    raise VerificationError(
                        f"{bidder} was registered as {address_of(identity)} of the ledgers, which the genesis block "
                        "does not say"
                    )

    def _check_accounts(self, rows: Sequence[Row]) -> None:
        for line, row in enumerate(rows, start=2):
            wei, units = self._holds(row["address"]), int(row["balance_money_units"])
            over = units * WEI_PER_UNIT - wei
            if over and not self._is_of_gas(row["role"], over):
                raise VerificationError(
                    f"accounts.csv line {line}: {bare(row['name'])} holds {units} units, by the contracts' state "
                    f"{wei} wei"
                )

    def _is_of_gas(self, role: str, over: int) -> bool:
        """Whether accounts may differ by that from the state, in wei, because gas costs parts of a unit.

        Senders have paid whole units of what they owe so far, to whose block completed the unit: so producers have got
        less than a unit of each sender too little or too much.
        """
        if not self._record["gas_price_wei"]:
            return False
        return 0 <= over < WEI_PER_UNIT if role != PRODUCER else abs(over) < self._senders * WEI_PER_UNIT

    def _holds(self, address: str) -> int:
        """What an account has in hand and what contracts keep for it, in wei."""
        own = [self._record["identities"].get(address, f"0x{address}")]  # producers have no other
        if (contract := self._record["contracts"]["MuDao"].get(address)) is not None:
            own.append(contract)
        return sum(
            self._chain.account(one).balance + self._read(self._nft.credit(one)) + self._read(self._auction.credit(one))
            for one in own
        )

    def _sales(self) -> dict[str, _Sale]:
        """The last window of every auction: those that the contract took are numbered in their order."""
        last: dict[str, int | None] = {}
        announced = 0
        for kind, payload, done in self._messages():
            if kind == "window":
                announced += done
                last[payload["auction"]] = announced if done else None
        return {auction: self._sale(number) for auction, number in last.items() if number is not None}

    def _sale(self, number: int) -> _Sale:
        _, _, _, price, _, *_, token = self._read(self._auction.sale(number))
        opened = {event["place"]: event["total"] for event in self._events("Opened") if event["auction"] == number}
        bids = {}
        for place in range(self._read(self._auction.view("bidCount", number))):
            bidder, _, _, word = self._read(self._auction.bid_at(number, place))
            if place in opened:
                bids[bidder.lower()] = opened[place], int.from_bytes(word) >> 128 > 0
        return _Sale(number, token, price, bids)

    def _check_bids(self, rows: Sequence[Row], names: Mapping[str, str], sales: Mapping[str, _Sale]) -> None:
        from flnft_sim.chain.units import to_wei

        left = {(auction, bidder) for auction, sale in sales.items() for bidder in sale.bids}
        for line, row in enumerate(rows, start=2):
            if row["status"] != "accepted":
                continue
            sale, bidder = sales[row["auction"]], names[row["provider"]].lower()
            total, won = sale.bids.get(bidder, (None, False))
            said = to_wei(to_units(float(row["total_money"]))), row["won"] == "True", _wei(row["payment_money"])
            found = total, won, sale.price if won else 0
            if said != found:
                raise VerificationError(
                    f"bids.csv line {line}: bid, win and payment of {bare(row['provider'])} are not those of the "
                    f"contract ({said} against {found}, in wei)"
                )
            left.discard((row["auction"], bidder))
        for auction, bidder in sorted(left):
            raise VerificationError(f"bids.csv: the bid of {bidder} in auction {bare(auction)} is not there")

    def _check_licences(self, rows: Sequence[Row], names: Mapping[str, str], sales: Mapping[str, _Sale]) -> None:
        newest = {row["licence"]: (line, row) for line, row in enumerate(rows, start=2)}
        for line, row in newest.values():
            token = sales[row["auction"]].token
            holder, expires = self._read(self._nft.view("licences", token, int(row["priority"])))
            said = names[row["holder"]].lower(), _expiry(row["expires_s"])
            if (holder.lower(), expires) != said and not (said[1] is None and holder.lower() == said[0]):
                raise VerificationError(
                    f"licences.csv line {line}: licence {bare(row['licence'])} is held by {holder} until {expires} by "
                    f"the contract, not by {bare(row['holder'])} until {shown(said[1])}"
                )
        granted = {(event["token"], event["rank"]) for event in self._events("Licensed")}
        if len(granted) != len(newest):
            raise VerificationError(
                f"licences.csv: tells of {len(newest)} licences, the contract has granted {len(granted)}"
            )

    def _messages(self) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
        """Of every transaction with a message: its kind, what it tells, and whether it was done."""
        for block in self._public.blocks:
            if block.execution is not None:
                told = [each for each in block.transactions if _FIELD in each.payload]
                for transaction, status in zip(told, block.execution["status"], strict=True):
                    yield transaction.kind, transaction.payload, bool(status)

    def _events(self, name: str) -> Iterator[Any]:
        for number in range(1, self._chain.last.number + 1):
            for done in self._chain.block(number).own:
                for event in (*self._nft.events(done.logs), *self._auction.events(done.logs)):
                    if event.name == name:
                        yield event

    def _read(self, call: Any) -> Any:
        return self._chain.read(call)


def _check_named(blocks: Sequence[Block]) -> None:
    """The ledger's transactions name the raw ones, in order."""
    from flnft_sim.chain.transactions import hash_of

    for block in blocks:
        assert block.execution is not None
        named = [each.payload[_FIELD] for each in block.transactions if _FIELD in each.payload]
        if named != [hash_of(bytes.fromhex(raw)) for raw in block.execution["raw"]]:
            raise VerificationError(
                f"block {block.height} of chain 'public': its raw transactions are not those that its transactions name"
            )


def _check_frames(public: Chain, genesis: Mapping[str, Any]) -> None:
    """What contracts could read of their block is what the ledger's block says: moment, producer, chance."""
    from flnft_sim.chain.backend import EPOCH, randao
    from flnft_sim.chain.keys import producer_address

    stamp = 0
    for block in public.blocks[1:]:
        stamp = max(stamp + 1, ceil(block.time_s))
        if (told := block.execution) is None:
            continue
        due = {
            "timestamp": EPOCH + stamp,
            "coinbase": producer_address(block.producer),
            "prev_randao": randao(genesis["seed"], block.height).hex(),
            "gas_limit": genesis["gas_limit"],
            "base_fee": 0,
        }
        for name, value in due.items():
            if told[name] != value:
                raise VerificationError(
                    f"block {block.height} of chain 'public': its {name} is {shown(told[name])} where "
                    f"{shown(value)} is due"
                )


def _wei(money: str) -> int:
    from flnft_sim.chain.units import to_wei

    return to_wei(to_units(float(money)))


def _expiry(text: str) -> int | None:
    from flnft_sim.chain.backend import EPOCH

    return EPOCH + int(float(text)) if text else None
