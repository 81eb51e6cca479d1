"""Hold a run's folder against its ledger: every hash, signature, account, NFT and bid, and what the run closed with."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flnft_sim.errors import FORMLESS, FlnftError, bare, shown
from flnft_sim.ledger import Chain, VerificationError, model_hash, parse_fl_nft, read_ledger, sha256_hex, to_units
from flnft_sim.market.lots import seal_of_draw
from flnft_sim.results.closing import CLOSE, PUBLIC, contract_key, digest_of, digests, signed
from flnft_sim.results.folder import LEDGER, manifest_text
from flnft_sim.results.reading import MANIFEST, parse_manifest, read_file, read_manifest_text, sha256_of

ACCOUNTS, BIDS, LICENCES = "accounts.csv", "bids.csv", "licences.csv"

_FIGURE = re.compile(r"figures/[\w-]{1,100}\.(png|pdf|svg)", re.ASCII)


@dataclass(frozen=True)
class VerifyReport:
    """What was checked and holds."""

    status: str
    """"finished", or "interrupted" or "failed": then some of the accounts' transfers may be in no settlement yet."""
    blocks: int
    transactions: int
    chains: tuple[str, ...]
    accounts: int
    unsettled: int
    """Transfers that the run ended before settling."""
    nfts: int
    nfts_not_kept: int
    """Minted, but of earlier mintings whose files the run did not keep."""
    bids: int
    files: int
    messages: int
    """To contracts, executed again; 0 where contracts are a model."""


def verify_run(folder: Path, *, engine: str | None = None) -> VerifyReport:
    """Recompute all that the folder's ledger proves, and compare every file with what the run closed with.

    Where contracts were executed, they are again, by `engine` or the run's own.

    Raises `VerificationError` naming the first thing that does not hold and the files that were altered, `InputError`
    where there is no run folder, or one that nobody could have made by a run.
    """
    text = read_manifest_text(folder)
    manifest = parse_manifest(folder, text)
    hashes = {name: sha256_of(folder, name) for name in manifest["files"]}
    altered = [name for name, digest in manifest["files"].items() if hashes[name] != digest]
    try:
        with _formed():
            report = _check_against_ledger(folder, manifest, hashes, engine)
    except VerificationError as error:
        also = f"; altered since the run: {bare(', '.join(altered))}" if altered else ""
        raise VerificationError(f"{error}{also}") from None
    if altered:
        raise VerificationError(f"{bare(', '.join(altered))}: missing or altered, by the SHA-256 in {MANIFEST}")
    if manifest_text(manifest) != text or signed(manifest) != manifest:
        raise VerificationError(f"{MANIFEST} was altered: the contract's signature in it is not of what it says")
    return report


@contextmanager
def _formed() -> Iterator[None]:
    """Say of what has another form than any run would give it that it has."""
    try:
        yield
    except FlnftError as error:
        raise VerificationError(str(error)) from None
    except (*FORMLESS, csv.Error) as error:
        raise VerificationError(f"a record lacks its form ({shown(error)})") from None


def _check_against_ledger(
    folder: Path, manifest: Mapping[str, Any], hashes: Mapping[str, str | None], engine: str | None
) -> VerifyReport:
    chains = read_ledger(_text(folder, LEDGER))
    closing = _closing(chains, manifest)
    _check_genesis(chains, manifest)
    _check_tips(chains, manifest["ledger_tips"])
    rows = _table(folder, ACCOUNTS)
    _check_draws(chains)
    accounts = _check_accounts(chains, manifest["unsettled"], rows)
    bids = _check_bids(chains, rows, _table(folder, BIDS), finished=manifest["status"] == "finished")
    messages = _check_execution(chains[PUBLIC], folder, rows, engine, finished=manifest["status"] == "finished")
    mints = [each.payload for chain in chains.values() for each in chain.transactions("mint")]
    kept_mints = [mint for mint in mints if mint["nft_file"] in hashes]
    for mint in kept_mints:
        _check_nft(folder, mint)
    _check_files(closing["files"], hashes)
    _check_statements(closing["manifest"], manifest)
    return VerifyReport(
        status=manifest["status"],
        blocks=sum(len(chain) for chain in chains.values()),
        transactions=sum(1 for chain in chains.values() for _ in chain.transactions()),
        chains=tuple(chains),
        accounts=accounts,
        unsettled=len(manifest["unsettled"]),
        nfts=len(kept_mints),
        nfts_not_kept=len(mints) - len(kept_mints),
        bids=bids,
        files=len(hashes),
        messages=messages,
    )


def _check_execution(
    public: Chain, folder: Path, accounts: list[dict[str, str]], engine: str | None, *, finished: bool
) -> int:
    """Execute all messages to contracts again, and read the tables' figures from the state that they come to."""
    if "execution" not in public.blocks[0].payload:
        return 0
    from flnft_sim.results.executed import ExecutedRun

    run = ExecutedRun(public, engine=engine)
    if finished:
        run.check({"accounts": accounts, "bids": _table(folder, BIDS), "licences": _table(folder, LICENCES)})
    return run.messages


def _closing(chains: Mapping[str, Chain], manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the last block of the public chain says, which only the contract may, and only once."""
    closings = [each for chain in chains.values() for each in chain.transactions(CLOSE)]
    last = chains[PUBLIC].tip.transactions if PUBLIC in chains else ()
    if len(closings) != 1 or tuple(closings) != last:
        raise VerificationError(
            f"{LEDGER}: the last public block does not close the run; it was cut, or an earlier version made it"
        )
    key = contract_key(manifest)
    if key is None or last[0].sender != key.address:
        raise VerificationError(
            f"{LEDGER}: not closed by the contract of a run with the seed {shown(manifest.get('seed'))} of {MANIFEST}"
        )
    return last[0].payload


def _check_genesis(chains: Mapping[str, Chain], manifest: Mapping[str, Any]) -> None:
    genesis = chains[PUBLIC].blocks[0].payload
    if genesis["scenario"] != digest_of(manifest["scenario"]):
        raise VerificationError(f"{MANIFEST}: its scenario is not the one whose hash the genesis block has")
    if genesis["code"] != manifest["code_version"]:
        raise VerificationError(f"{MANIFEST}: its code_version is not the one that the genesis block names")


def _check_tips(chains: Mapping[str, Chain], tips: Mapping[str, str]) -> None:
    for name in sorted(chains.keys() - tips.keys()):
        raise VerificationError(f"{LEDGER}: {MANIFEST} knows of no chain {shown(name)}")
    for name, tip in tips.items():
        if name not in chains:
            raise VerificationError(f"{LEDGER}: chain {shown(name)} of {MANIFEST} is not there")
        if chains[name].blocks[-2 if name == PUBLIC else -1].hash != tip:
            raise VerificationError(
                f"{LEDGER}: chain {shown(name)} does not end in the block that {MANIFEST} names; it is cut or continued"
            )


def _check_files(closed_with: Mapping[str, str], hashes: Mapping[str, str | None]) -> None:
    """The files must be those the run closed with, beside the ledger itself and figures, which are drawn later."""
    for name, digest in closed_with.items():
        if name not in hashes:
            raise VerificationError(f"{bare(name)}, which the run closed with, is not among the files of {MANIFEST}")
        if hashes[name] != digest:
            raise VerificationError(f"{name} is not the file that the run closed with")
    for name in hashes:
        if name not in closed_with and name != LEDGER and not _FIGURE.fullmatch(name):
            raise VerificationError(f"{name} is no file that the run closed with")


def _check_statements(closed_with: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
    said = digests(manifest)
    for name in dict.fromkeys((*closed_with, *said)):
        if closed_with.get(name) != said.get(name):
            raise VerificationError(f"{MANIFEST}: its {shown(name)} is not what the run closed with")


def _check_accounts(
    chains: Mapping[str, Chain], unsettled: Sequence[Mapping[str, Any]], rows: list[dict[str, str]]
) -> int:
    """Replay opening balances, settlements and what came after: every balance must be the table's, to the unit."""
    balances: Counter[str] = Counter()
    for chain in chains.values():
        balances.update(chain.blocks[0].payload.get("balances", {}))
    issued = balances.total()
    for chain in chains.values():
        for settlement in chain.transactions("settle"):
            for entry in settlement.payload["entries"]:
                _replay(LEDGER, balances, entry)
    for entry in unsettled:
        _replay(MANIFEST, balances, entry)
    for line, row in enumerate(rows, start=2):
        address, units = row["address"], _integer(ACCOUNTS, line, row["balance_money_units"])
        if balances.pop(address, 0) != units:
            raise VerificationError(
                f"{ACCOUNTS} line {line}: {shown(address)} does not hold {units} units by the ledger"
            )
    missing = next((address for address, units in balances.items() if units), None)
    if missing is not None:
        raise VerificationError(f"{ACCOUNTS}: account {bare(missing)}, which holds money by the ledger, is not there")
    if sum(int(row["balance_money_units"]) for row in rows) != issued:
        raise VerificationError(f"{ACCOUNTS}: the accounts do not add up to the {issued} units of the genesis block")
    return len(rows)


def _replay(place: str, balances: Counter[str], entry: Mapping[str, Any]) -> None:
    source, units = entry["src"], entry["units"]
    if not 0 <= units <= balances[source]:
        raise VerificationError(
            f"{place}: a transfer moves {shown(units)} units from {shown(source)}, which holds {balances[source]}"
        )
    balances[source] -= units
    balances[entry["dst"]] += units


def _check_bids(
    chains: Mapping[str, Chain], accounts: list[dict[str, str]], rows: list[dict[str, str]], *, finished: bool
) -> int:
    """Accepted bids, winners and payments of the table must be those that clearings and settlements published.

    In a run that was not finished the ledger may be ahead of the table: rows are written when all is settled.
    """
    addresses = {row["name"]: row["address"] for row in accounts}
    opened: dict[tuple[str, str], int] = {}
    winners: set[tuple[str, str]] = set()
    paid: Counter[tuple[str, str]] = Counter()
    for chain in chains.values():
        for clearing in chain.transactions("clearing"):
            auction = clearing.payload["auction"]
            opened |= {(auction, bidder): units for bidder, units in clearing.payload["bids"].items()}
            winners |= {(auction, bidder) for bidder in clearing.payload["winners"]}
        for settlement in chain.transactions("settle"):
            for entry in settlement.payload["entries"]:
                kind, _, rest = entry["src"].partition("/")
                auction, _, bidder = rest.rpartition("/")
                if kind == "escrow" and entry["dst"] != bidder:
                    paid[auction, bidder] += entry["units"]
    accepted = [(line, row) for line, row in enumerate(rows, start=2) if row["status"] == "accepted"]
    for line, row in accepted:
        key = (row["auction"], addresses.get(row["provider"], ""))
        claims = {
            "bid": (_units(line, row["total_money"]), opened.pop(key, None)),
            "win": (row["won"] == "True", key in winners),
            "payment": (_units(line, row["payment_money"]), paid.pop(key, 0)),
        }
        for what, (here, there) in claims.items():
            if here != there:
                raise VerificationError(
                    f"{BIDS} line {line}: the {what} of {bare(row['provider'])} in auction {bare(row['auction'])} is "
                    f"not that of the ledger ({here} against {there})"
                )
    for auction, bidder in opened | paid if finished else ():
        raise VerificationError(
            f"{BIDS}: the bid of {bare(bidder)} in auction {bare(auction)}, which the ledger has, is not there"
        )
    return len(accepted)


def _check_draws(chains: Mapping[str, Chain]) -> None:
    """The draw that a clearing opens must be the one that was sealed before there were bids."""
    for chain in chains.values():
        seals = {each.payload["auction"]: each.payload["draw_seal"] for each in chain.transactions("announce")}
        for clearing in chain.transactions("clearing"):
            auction, draw = clearing.payload["auction"], clearing.payload["draw"]
            if seal_of_draw(bytes.fromhex(draw)).hex() != seals.get(auction):
                raise VerificationError(f"{LEDGER}: the draw of auction {shown(auction)} is not the one announced")


def _check_nft(folder: Path, mint: Mapping[str, str]) -> None:
    name, model = mint["nft_file"], mint["model_file"]
    text = _text(folder, name)
    try:
        record = parse_fl_nft(text)
    except VerificationError as error:
        raise VerificationError(f"{name} {error}") from None
    if sha256_hex(text) != mint["nft_hash"]:
        raise VerificationError(f"{name} is not the document whose hash was minted on the ledger")
    if model_hash(read_file(folder, model)) != record["model_hash"]:
        raise VerificationError(f"{model} is not the model whose hash stands in {name}")


def _table(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(folder, name).splitlines()))


def _text(folder: Path, name: str) -> str:
    try:
        return read_file(folder, name).decode()
    except UnicodeDecodeError:
        raise VerificationError(f"{name} is not UTF-8 text") from None


def _integer(table: str, line: int, text: str) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        raise VerificationError(f"{table} line {line}: {shown(text)} is no whole number") from None


def _units(line: int, text: str) -> int:
    try:
        return to_units(float(text))
    except (TypeError, ValueError):
        raise VerificationError(f"{BIDS} line {line}: {shown(text)} is no amount of money") from None
