# mypy: disallow-untyped-defs=False
# ruff: noqa: ARG001 - an intrinsic's parameters name its operands; the code generator gets their values
"""A vector of `WIDTH` float32 for Numba kernels, and a small file of registers to accumulate in.

Numba has no vector type, and LLVM does not find these vectorisations by itself. Kernels work on one flat float32
workspace through a pointer; every index counts floats. Nothing here checks bounds: `plan` lays the workspace out.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, overload, register_model

from flnft_sim.learning.engines.cpu.host import vector_width

WIDTH = vector_width()

POINTER = types.CPointer(types.float32)

intrinsic: Any = extending.intrinsic  # its own annotations hold for Python callers, not for compiled ones

_FLOAT = ir.FloatType()
_INT32 = ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, WIDTH)
_ALIGN = 4  # bytes; vectors may start at any float


class _Vector(types.Type):
    def __init__(self) -> None:
        super().__init__(f"float32x{WIDTH}")


class _Registers(types.Type):
    def __init__(self) -> None:
        super().__init__(f"registers{WIDTH}")


_vector, _registers = _Vector(), _Registers()


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


@register_model(_Registers)
class _RegistersModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR.as_pointer())


def _at(builder: Any, pointer: Any, index: Any) -> Any:
    """Address of the vector that starts at float `index`."""
    return builder.bitcast(builder.gep(pointer, [index], inbounds=True), _VECTOR.as_pointer())


def _spread(builder: Any, scalar: Any) -> Any:
    """The scalar in every lane."""
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_INT32, WIDTH), [0] * WIDTH))


def _operation(result: Any, arguments: tuple[Any, ...], emit: Callable[[Any, Any], Any]) -> Any:
    """What an intrinsic returns: its signature and code generator; `emit(builder, values)` None means void."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        value = emit(builder, values)
        return context.get_dummy_value() if result is types.none else value

    return result(*arguments), generate


# ---- between memory and vectors


@intrinsic
def pointer(_typing: Any, array: Any) -> Any:
    """Pointer to the first float of an array."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, values[0]).data

    return POINTER(array), generate


@intrinsic
def load(_typing: Any, memory: Any, i: Any) -> Any:
    """The vector that starts at float i."""
    return _operation(_vector, (memory, types.intp), lambda b, v: b.load(_at(b, v[0], v[1]), align=_ALIGN))


@intrinsic
def store(_typing: Any, memory: Any, i: Any, vector: Any) -> Any:
    """Write a vector to the floats from i on."""

    def emit(b: Any, v: Any) -> None:
        b.store(v[2], _at(b, v[0], v[1]), align=_ALIGN)

    return _operation(types.none, (memory, types.intp, _vector), emit)


@intrinsic
def broadcast(_typing: Any, memory: Any, i: Any) -> Any:
    """Float i in every lane."""

    def emit(b: Any, v: Any) -> Any:
        return _spread(b, b.load(b.gep(v[0], [v[1]], inbounds=True)))

    return _operation(_vector, (memory, types.intp), emit)


@intrinsic
def splat(_typing: Any, x: Any) -> Any:
    """A scalar in every lane."""
    return _operation(_vector, (types.float32,), lambda b, v: _spread(b, v[0]))


@intrinsic
def prefetch(_typing: Any, memory: Any, i: Any) -> Any:
    """Ask the cache for the vector at float i, to be written soon."""

    def emit(b: Any, v: Any) -> None:
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _INT32, _INT32, _INT32])
        function = cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0")
        address = b.bitcast(b.gep(v[0], [v[1]], inbounds=True), byte)
        b.call(function, [address, *(ir.Constant(_INT32, x) for x in (1, 3, 1))])  # write, keep close, data

    return _operation(types.none, (memory, types.intp), emit)


# ---- arithmetic


@intrinsic
def fma(_typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x·y + z, rounded once."""

    def emit(b: Any, v: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        return b.call(cgutils.get_or_insert_function(b.module, kind, f"llvm.fma.v{WIDTH}f32"), v)

    return _operation(_vector, (_vector,) * 3, emit)


@intrinsic
def add(_typing: Any, x: Any, y: Any) -> Any:
    """x + y."""
    return _operation(_vector, (_vector,) * 2, lambda b, v: b.fadd(*v))


@intrinsic
def multiply(_typing: Any, x: Any, y: Any) -> Any:
    """x · y."""
    return _operation(_vector, (_vector,) * 2, lambda b, v: b.fmul(*v))


@intrinsic
def divide(_typing: Any, x: Any, y: Any) -> Any:
    """x / y."""
    return _operation(_vector, (_vector,) * 2, lambda b, v: b.fdiv(*v))


@intrinsic
def maximum(_typing: Any, x: Any, y: Any) -> Any:
    """y where y > x, else x: a NaN in x stays one, so that a diverged model shows."""
    return _operation(_vector, (_vector,) * 2, lambda b, v: b.select(b.fcmp_ordered(">", v[1], v[0]), v[1], v[0]))


@intrinsic
def where_equal(_typing: Any, x: Any, y: Any, yes: Any, no: Any) -> Any:
    """`yes` where x = y, else `no`."""

    def emit(b: Any, v: Any) -> Any:
        return b.select(b.fcmp_ordered("==", v[0], v[1]), v[2], v[3])

    return _operation(_vector, (_vector,) * 4, emit)


@intrinsic
def where_greater(_typing: Any, x: Any, y: Any, yes: Any, no: Any) -> Any:
    """`yes` where x > y, else `no`."""

    def emit(b: Any, v: Any) -> Any:
        return b.select(b.fcmp_ordered(">", v[0], v[1]), v[2], v[3])

    return _operation(_vector, (_vector,) * 4, emit)


@intrinsic
def sum_lanes(_typing: Any, x: Any) -> Any:
    """Sum of all lanes."""

    def emit(b: Any, v: Any) -> Any:
        kind = ir.FunctionType(_FLOAT, [_FLOAT, _VECTOR])
        function = cgutils.get_or_insert_function(b.module, kind, f"llvm.vector.reduce.fadd.v{WIDTH}f32")
        return b.call(function, [ir.Constant(_FLOAT, 0.0), v[0]], fastmath=("reassoc",))

    return _operation(types.float32, (_vector,), emit)


@intrinsic
def transpose_block(_typing: Any, source: Any, a: Any, a_row: Any, target: Any, b: Any, b_row: Any) -> Any:
    """target[b + j·b_row + i] = source[a + i·a_row + j] for i, j < WIDTH."""
    half = WIDTH // 2
    lanes = ir.VectorType(_INT32, WIDTH)
    low = ir.Constant(lanes, [x for k in range(half) for x in (k, WIDTH + k)])
    high = ir.Constant(lanes, [x for k in range(half, WIDTH) for x in (k, WIDTH + k)])

    def emit(builder: Any, v: Any) -> None:
        def row(memory: Any, start: Any, stride: Any, i: int) -> Any:
            return _at(builder, memory, builder.add(start, builder.mul(stride, ir.Constant(stride.type, i))))

        rows = [builder.load(row(v[0], v[1], v[2], i), align=_ALIGN) for i in range(WIDTH)]
        for _ in range(WIDTH.bit_length() - 1):  # interleaving the halves log2(WIDTH) times transposes
            rows = [builder.shuffle_vector(rows[i], rows[i + half], m) for i in range(half) for m in (low, high)]
        for i in range(WIDTH):
            builder.store(rows[i], row(v[3], v[4], v[5], i), align=_ALIGN)

    return _operation(types.none, (source, types.intp, types.intp, target, types.intp, types.intp), emit)


# ---- registers


@intrinsic
def registers(_typing: Any, count: Any) -> Any:
    """`count` vectors (a constant) to index: a stack array that LLVM turns into registers once loops are unrolled."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    kind = ir.ArrayType(_VECTOR, count.literal_value)
    return _operation(_registers, (count,), lambda b, _: b.bitcast(cgutils.alloca_once(b, kind), _VECTOR.as_pointer()))


@intrinsic
def _register(_typing: Any, file: Any, i: Any) -> Any:
    return _operation(_vector, (_registers, types.intp), lambda b, v: b.load(b.gep(v[0], [v[1]], inbounds=True)))


@intrinsic
def _set_register(_typing: Any, file: Any, i: Any, vector: Any) -> Any:
    def emit(b: Any, v: Any) -> None:
        b.store(v[2], b.gep(v[0], [v[1]], inbounds=True))

    return _operation(types.none, (_registers, types.intp, _vector), emit)


@overload(operator.getitem)
def _get_item(file, i):
    if isinstance(file, _Registers):
        return lambda file, i: _register(file, i)
    return None


@overload(operator.setitem)
def _set_item(file, i, vector):
    if isinstance(file, _Registers):
        return lambda file, i, vector: _set_register(file, i, vector)
    return None


# ---- kernels


@intrinsic
def call(_typing: Any, address: Any, arguments: Any) -> Any:
    """Call the kernel at a machine address (the layer table holds them) with a tuple of arguments."""

    def emit(b: Any, v: Any) -> None:
        values = [b.extract_value(v[1], i) for i in range(len(arguments.types))]
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        b.call(b.inttoptr(v[0], kind.as_pointer()), values)

    return _operation(types.none, (address, arguments), emit)
