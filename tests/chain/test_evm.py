"""The door to an EVM of one's own: every natural way to deploy and call, by the rules of the fork that is named."""

import pytest

from flnft_sim.chain import FORKS, ChainKey, ContractRevert, Evm, TransactionRefused, artifact
from flnft_sim.chain.abi import Abi, Function
from flnft_sim.chain.forks import floor_gas, fork_name, intrinsic_gas
from flnft_sim.errors import InputError, UnknownNameError

STORE = "600035600055"  # PUSH1 0 CALLDATALOAD PUSH1 0 SSTORE: keep the first word of the data in slot 0


def init_code(body):
    """Init code (hex) that puts `body` (hex) on the chain: PUSH1 n DUP1 PUSH1 11 PUSH1 0 CODECOPY PUSH1 0 RETURN."""
    return f"60{len(body) // 2:02x}80600b6000396000f3" + body


def word(number):
    return number.to_bytes(32, "big")


def deploy_gas(fork, body):
    """By hand: the transaction, what the init code does (6 × 3 + 1 word copied and expanded 3 + 3), 200 a byte kept."""
    data = bytes.fromhex(init_code(body))
    return intrinsic_gas(fork, data, creates=True) + 18 + 6 + 200 * (len(body) // 2)


@pytest.mark.parametrize("fork", FORKS)
def test_a_contract_is_deployed_and_called_by_the_rules_of_the_fork(fork):
    evm = Evm(fork=fork)
    receipt = evm.deploy("0x" + init_code(STORE))
    assert receipt.gas_used == deploy_gas(fork, STORE)
    assert receipt.status == 1 and receipt.success and receipt.address == receipt.contract_address
    at = FORKS.index(fork)
    # SSTORE 0 → 1 → 2 → 0: 20000, 5000, 5000 and a refund; EIP-2929 adds 2100 for a cold slot and takes them off the
    # 5000; EIP-2200/1283 leave these alone here.
    cold = 2_100 if at >= FORKS.index("berlin") else 0
    costs = [20_000 + cold, 5_000, 5_000]
    refund, cap = (4_800, 5) if at >= FORKS.index("london") else (15_000, 2)
    for value, cost in zip((1, 2, 0), costs, strict=True):
        data = word(value)
        expected = intrinsic_gas(fork, data, creates=False) + 9 + cost
        if value == 0:
            expected -= min(refund, expected // cap)
        assert evm.call(receipt.address, data).gas_used == expected, value


def test_a_list_of_what_is_touched_is_paid_for_beforehand():
    """EIP-2930: 2400 an address and 1900 a slot, after which the slot is warm."""
    for fork in ("berlin", "london", "prague"):
        evm = Evm(fork)
        at = evm.deploy(init_code(STORE)).address
        plain = evm.call(at, word(1)).gas_used
        evm.call(at, word(0))
        listed = evm.call(at, word(1), access_list=[(at, [0])]).gas_used
        assert listed == plain + 2_400 + 1_900 - 2_100


def test_forks_differ_where_they_should():
    spend = {fork: Evm(fork).deploy(init_code(STORE) + "00" * 64).gas_used for fork in ("paris", "shanghai")}
    assert spend["shanghai"] - spend["paris"] == 2 * -(-(len(init_code(STORE)) // 2 + 64) // 32)  # EIP-3860
    push0 = init_code("5f00")
    assert not Evm("paris").call(Evm("paris").deploy(push0), b"", check=False).logs
    evm = Evm("paris")
    with pytest.raises(ContractRevert, match="InvalidInstruction"):
        evm.call(evm.deploy(push0), b"")
    evm = Evm("shanghai")
    assert evm.call(evm.deploy(push0), b"").success
    # EIP-3541: no new code begins with 0xef, from London on.
    assert Evm("berlin").deploy(init_code("ef00")).success
    with pytest.raises(ContractRevert):
        Evm("london").deploy(init_code("ef00"))


@pytest.mark.parametrize("name", ["London", "LONDON", "arrowGlacier", "arrow-glacier", "merge", "The Merge"])
def test_forks_are_known_by_their_usual_names(name):
    assert fork_name(name) in FORKS


def test_an_unknown_fork_or_engine_is_told():
    with pytest.raises(UnknownNameError, match="unknown fork 'lodnon', did you mean 'london'"):
        Evm(fork="lodnon")
    with pytest.raises(UnknownNameError, match="unknown chain engine 'geth'"):
        Evm(engine="geth")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["{}"], {}),
        ({"market_": "{}"}, {}),
        ("{}", {"encoded": True}),
        (["{}"], {"bare": True, "types": ["address"]}),
        (["{}"], {"bare": True}),
    ],
)
def test_a_constructors_arguments_in_every_form(args, told):
    evm, made = Evm(), artifact("FlNft")
    market = evm.accounts[3].address
    if told.pop("encoded", False):
        given = "0x" + "00" * 12 + market[2:]
    else:
        given = {name: market for name in args} if isinstance(args, dict) else [market]
    source = "0x" + made.bytecode.hex() if told.pop("bare", False) else made
    token = evm.deploy(source, given, **told)
    assert evm.read(token, "market()(address)") == market
    assert token.gas_used == evm.deploy(made, [market]).gas_used


@pytest.mark.parametrize("form", ["hex", "0x", "bytes", "mapping", "foundry", "artifact"])
def test_bytecode_in_every_form_that_compilers_write(form):
    code = init_code(STORE)
    forms = {
        "hex": code, "0x": "0x" + code, "bytes": bytes.fromhex(code), "mapping": {"bytecode": code, "abi": []},
        "foundry": {"bytecode": {"object": "0x" + code}}, "artifact": {"abi": [], "evm": 0, "bytecode": "0x" + code},
    }  # fmt: skip
    assert Evm("london").deploy(forms[form]).gas_used == deploy_gas("london", STORE)


def test_a_function_is_called_in_every_way():
    evm = Evm()
    token = evm.deploy(artifact("FlNft"), [evm.accounts[0]])
    dao, one, two = evm.accounts[1].address, b"\1" * 32, b"\2" * 32
    spec = Abi(artifact("FlNft").abi.entries).function("mint")
    ways = [
        lambda: evm.call(token, "mint", [dao, one, two, 500]),
        lambda: evm.call(token.address, "mint", dao, one, "0x" + two.hex(), 500),
        lambda: evm.call(token, "mint(address,bytes32,bytes32,uint96)", [dao, one, two, 500], sender=2),
        lambda: evm.call(token, "mint", {"dao": dao, "document": one, "weights": two, "royaltyBps": 500}),
        lambda: evm.call(token, spec.call([dao, one, two, 500]), sender=evm.accounts[3]),
        lambda: evm.call(to=token.address, data="0x" + spec.call([evm.accounts[1], one, two, 500]).hex()),
        lambda: evm.send(token, "mint", [dao, one, two, 500], sender="0x" + "07" * 32),
    ]
    receipts = [way() for way in ways]
    assert [int.from_bytes(receipt.output, "big") for receipt in receipts] == list(range(1, len(ways) + 1))
    assert len({receipt.gas_used for receipt in receipts[2:]}) == 1
    assert receipts[0].value == 1
    [minted] = [event for event in receipts[0].events if event.name == "Minted"]
    assert (minted["token"], minted["dao"], minted["document"]) == (1, dao, one)
    assert evm.read(token, "ownerOf", 3) == dao == evm.view(token, "ownerOf(uint256)(address)", [3])


def test_a_failure_says_why_and_can_be_looked_at():
    evm = Evm()
    token = evm.deploy(artifact("FlNft"), [evm.accounts[0]])
    with pytest.raises(ContractRevert) as fault:
        evm.call(token, "buy", [1, 1], value=5)
    assert (fault.value.name, fault.value.values) == ("NotForSale", ())
    assert fault.value.receipt.gas_used > 21_000
    receipt = evm.call(token, "buy", [1, 1], check=False)
    assert (receipt.status, receipt.value) == (0, None)
    with pytest.raises(ContractRevert, match="OutOfGas"):
        evm.call(token, "mint", [evm.accounts[0], b"\1" * 32, b"\1" * 32, 1], gas=40_000)
    with pytest.raises(ContractRevert, match=r"ERC721NonexistentToken\(9\)"):
        evm.read(token, "ownerOf", 9)


def test_money_is_sent_and_gas_can_cost():
    evm = Evm(base_fee=7, gas_price=10, coinbase="0x" + "aa" * 20)
    receipt = evm.call("0x" + "bb" * 20, value=5)
    assert receipt.gas_used == 21_000
    assert evm.balance("0x" + "bb" * 20) == 5
    assert evm.balance(evm.coinbase) == 3 * 21_000
    assert evm.balance(evm.accounts[0]) == 10**28 - 5 - 10 * 21_000


def test_blocks_follow_one_another_and_time_passes():
    evm = Evm(timestamp=1_000)
    clock = evm.deploy(init_code("4260005260206000f3"))  # TIMESTAMP, returned
    assert clock.block.timestamp == 1_001
    assert int.from_bytes(evm.call(clock, b"").output, "big") == 1_002
    evm.wait(60)
    assert int.from_bytes(evm.read(clock, b""), "big") == 1_063


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda evm: evm.deploy("0x6g"), "is no hex"),
        (lambda evm: evm.deploy("60__$lib$__"), "gap for a library"),
        (lambda evm: evm.deploy({"abi": []}), "holds no bytecode"),
        (lambda evm: evm.deploy(artifact("FlNft"), []), "takes 1 arguments and got 0"),
        (lambda evm: evm.deploy(artifact("FlNft"), [5]), "cannot take"),
        (lambda evm: evm.deploy(artifact("FlNft"), {"markt": 5}), "did you mean 'market_'"),
        (lambda evm: evm.deploy("00", [None]), "type of None cannot be seen"),
        (lambda evm: evm.call("0x12", b""), "is no address"),
        (lambda evm: evm.call("0x" + "12" * 20, b"", sender="0x" + "13" * 20), "no key is known for the sender"),
        (lambda evm: evm.call("0x" + "12" * 20, b"", gas=10**9), "a block holds 30000000"),
        (lambda evm: evm.call("0x" + "12" * 20, "f(uint256", [1]), "bracket that is not closed"),
        (lambda evm: evm.call("0x" + "12" * 20, "f", [1], abi=artifact("FlNft").abi), "unknown function 'f'"),
        (lambda evm: evm.call("0x" + "12" * 20, value=10**30), "give the account more money"),
        (lambda evm: evm.call("0x" + "12" * 20, b"\1" * 9, gas=21_000), "give more gas"),
        (lambda evm: ChainKey.from_hex("0x" + "00" * 32), "no hex of 32 bytes"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(act, what):
    with pytest.raises(InputError, match=what) as fault:
        act(Evm())
    assert "\n" not in str(fault.value)


def test_a_block_takes_no_transaction_below_its_floor_or_of_too_much_code():
    data = b"\1" * 1_000
    assert floor_gas("prague", data) == 61_000 and floor_gas("cancun", data) == 0
    evm = Evm("prague")
    with pytest.raises(TransactionRefused, match="61000"):
        evm.call("0x" + "12" * 20, data, gas=40_000)
    assert Evm("cancun").call("0x" + "12" * 20, data, gas=40_000).gas_used == 37_000
    with pytest.raises(TransactionRefused, match="takes 49152"):
        evm.deploy("00" * 49_153)
    assert Evm("paris").deploy("00" * 49_153).success


def test_signatures_are_read_as_they_are_written():
    spec = Function.of_signature("f((uint256,address)[], bytes) returns (bool, (uint8,string))")
    assert spec.signature == "f((uint256,address)[],bytes)"
    assert spec.outputs == ["bool", "(uint8,string)"]
    transfer = Function.of_signature("transfer(address,uint256)")
    assert transfer.selector.hex() == "a9059cbb"
    assert Function.guessed("transfer", ["0x" + "12" * 20, 5]).selector == transfer.selector


def test_the_same_calls_give_the_same_bytes_and_roots():
    def run():
        evm = Evm()
        token = evm.deploy(artifact("FlNft"), [evm.accounts[0]])
        receipt = evm.call(token, "mint", [evm.accounts[1], b"\1" * 32, b"\2" * 32, 500])
        return token.raw, receipt.raw, evm.engine.state_root()

    assert run() == run()
