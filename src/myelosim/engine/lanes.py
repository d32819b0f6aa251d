"""A SIMD value for numba: eight doubles that behave like one.

:data:`f64x8` takes part in ``+ - * /`` and comparisons with itself and with scalars, so that straight-line arithmetic written
for a float runs on eight subjects at once. ``exp`` and ``log`` are polynomials (there is no vector math library behind
numba); no operation may be re-associated, because that breaks the range reduction of ``exp``. Alone the contraction of
a product and a sum into one rounding is allowed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 8
FLAGS = ("contract",)
JIT = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True}
INNER = {**JIT, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # of functions that Python never calls


def aligned(*shape: int, value: float = 0.0) -> np.ndarray:
    """Return an array that begins at a cache line: eight lanes that lie across two lines cost a fifth of the speed."""
    size = math.prod(shape)
    room = np.full(size + WIDTH, value)
    begin = -(room.ctypes.data // room.itemsize) % WIDTH
    return room[begin : begin + size].reshape(shape)


_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
_BITS = ir.VectorType(ir.IntType(64), WIDTH)
_MASK = ir.VectorType(ir.IntType(1), WIDTH)


class Lanes(types.Type):
    """Numba type of eight doubles."""

    def __init__(self) -> None:
        super().__init__(name=f"f64x{WIDTH}")


class Mask(types.Type):
    """Numba type of eight truth values."""

    def __init__(self) -> None:
        super().__init__(name=f"maskx{WIDTH}")


f64x8, mask8 = Lanes(), Mask()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTOR)


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _MASK)


def _splat(builder: Any, scalar: Any) -> Any:
    if isinstance(scalar, ir.Constant):
        return ir.Constant(_VECTOR, [scalar.constant] * WIDTH)
    empty = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(empty, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))


def _widen(context: Any, builder: Any, value: Any, kind: Any) -> Any:
    if isinstance(kind, Lanes):
        return value
    return _splat(builder, context.cast(builder, value, kind, types.float64))


_PAIRS = [
    (Lanes, Lanes), (Lanes, types.Float), (types.Float, Lanes), (Lanes, types.Integer), (types.Integer, Lanes),
]  # fmt: skip


def _binary(op: Any, result: Any, emit: Callable[[Any, Any, Any], Any]) -> None:
    @infer_global(op)
    class _Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            numbers = all(isinstance(x, Lanes | types.Float | types.Integer) for x in args)
            if len(args) == 2 and numbers and any(isinstance(x, Lanes) for x in args):
                return signature(result, *args)
            return None

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        x, y = (_widen(context, builder, v, k) for v, k in zip(args, sig.args, strict=True))
        return emit(builder, x, y)

    for pair in _PAIRS:
        lower_builtin(op, *pair)(lower)


_binary(operator.add, f64x8, lambda b, x, y: b.fadd(x, y, flags=FLAGS))
_binary(operator.sub, f64x8, lambda b, x, y: b.fsub(x, y, flags=FLAGS))
_binary(operator.mul, f64x8, lambda b, x, y: b.fmul(x, y, flags=FLAGS))
_binary(operator.truediv, f64x8, lambda b, x, y: b.fdiv(x, y, flags=FLAGS))
_binary(operator.lt, mask8, lambda b, x, y: b.fcmp_ordered("<", x, y))
_binary(operator.le, mask8, lambda b, x, y: b.fcmp_ordered("<=", x, y))
_binary(operator.gt, mask8, lambda b, x, y: b.fcmp_ordered(">", x, y))
_binary(operator.ge, mask8, lambda b, x, y: b.fcmp_ordered(">=", x, y))


def _mask_binary(op: Any, emit: Callable[[Any, Any, Any], Any]) -> None:
    @infer_global(op)
    class _Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            return signature(mask8, *args) if len(args) == 2 and all(x == mask8 for x in args) else None

    lower_builtin(op, Mask, Mask)(lambda context, builder, sig, args: emit(builder, *args))


_mask_binary(operator.and_, lambda b, x, y: b.and_(x, y))
_mask_binary(operator.or_, lambda b, x, y: b.or_(x, y))
_mask_binary(operator.xor, lambda b, x, y: b.xor(x, y))


@infer_global(operator.neg)
class _Negative(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(f64x8, f64x8) if isinstance(args[0], Lanes) else None


@lower_builtin(operator.neg, Lanes)
def _negative(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fneg(args[0], flags=FLAGS)


def _call(builder: Any, name: str, *args: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f64"), args)


doubles = types.CPointer(types.float64)


@intrinsic
def address(typing: Any, array: Any) -> Any:
    """Return where a contiguous array of doubles begins. The caller keeps the array alive.

    Inside a program arrays travel as addresses: passing arrays costs an atomic reference count a call, half the running time.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(sig.args[0])(context, builder, args[0]).data

    return doubles(array), codegen


@intrinsic
def after(typing: Any, start: Any, offset: Any) -> Any:
    """Return the address ``offset`` doubles on."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.gep(args[0], [context.cast(builder, args[1], sig.args[1], types.intp)])

    return doubles(start, offset), codegen


def _eight(context: Any, builder: Any, start: Any, offset: Any, offset_kind: Any) -> Any:
    element = builder.gep(start, [context.cast(builder, offset, offset_kind, types.intp)])
    return builder.bitcast(element, _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, start: Any, offset: Any) -> Any:
    """Return eight neighboring doubles."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_eight(context, builder, args[0], args[1], sig.args[1]), align=8)

    return f64x8(start, offset), codegen


@intrinsic
def store(typing: Any, start: Any, offset: Any, value: Any) -> Any:
    """Write eight neighboring doubles; a scalar is written eight times."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _eight(context, builder, args[0], args[1], sig.args[1])
        builder.store(_widen(context, builder, args[2], sig.args[2]), place, align=8)
        return context.get_dummy_value()

    return types.void(start, offset, value), codegen


@intrinsic
def splat(typing: Any, value: Any) -> Any:
    """Return eight copies of a number."""
    return f64x8(value), lambda context, builder, sig, args: _widen(context, builder, args[0], sig.args[0])


@intrinsic
def select(typing: Any, condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, else ``y``, lane by lane."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        x, y = (_widen(context, builder, v, k) for v, k in zip(args[1:], sig.args[1:], strict=True))
        return builder.select(args[0], x, y)

    return f64x8(condition, x, y), codegen


def _reduce(value: int) -> Any:
    @intrinsic
    def reduce(typing: Any, condition: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            bits = builder.bitcast(args[0], ir.IntType(WIDTH))
            return builder.icmp_unsigned("!=" if value == 0 else "==", bits, ir.Constant(ir.IntType(WIDTH), value))

        return types.boolean(condition), codegen

    return reduce


any_lane = _reduce(0)
every_lane = _reduce(2**WIDTH - 1)


@intrinsic
def lane_bits(typing: Any, condition: Any) -> Any:
    """Return an integer whose bit ``i`` says whether the condition holds in lane ``i``."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], ir.IntType(WIDTH)), ir.IntType(64))

    return types.int64(condition), codegen


@intrinsic
def everywhere(typing: Any) -> Any:
    """Return a mask that holds in every lane."""
    return mask8(), lambda context, builder, sig, args: ir.Constant(_MASK, [1] * WIDTH)


def _unary(name: str) -> Any:
    @intrinsic
    def function(typing: Any, x: Any) -> Any:
        return f64x8(x), lambda context, builder, sig, args: _call(builder, name, args[0])

    return function


absolute, root, _nearest = _unary("fabs"), _unary("sqrt"), _unary("rint")


def _pick(name: str) -> Any:
    @intrinsic
    def function(typing: Any, x: Any, y: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return _call(builder, name, *(_widen(context, builder, v, k) for v, k in zip(args, sig.args, strict=True)))

        return f64x8(x, y), codegen

    return function


minimum, maximum = _pick("minnum"), _pick("maxnum")


@intrinsic
def _shift_exponent(typing: Any, x: Any, n: Any) -> Any:
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        steps = builder.shl(builder.fptosi(args[1], _BITS), ir.Constant(_BITS, [52] * WIDTH))
        return builder.bitcast(builder.add(builder.bitcast(args[0], _BITS), steps), _VECTOR)

    return f64x8(x, n), codegen


@intrinsic
def _split_exponent(typing: Any, x: Any) -> Any:
    """Return mantissa in [sqrt(1/2), sqrt(2)) and exponent."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _BITS)
        offset = builder.sub(bits, ir.Constant(_BITS, [0x3FE6A09E667F3BCD] * WIDTH))
        exponent = builder.ashr(offset, ir.Constant(_BITS, [52] * WIDTH))
        mantissa = builder.sub(bits, builder.shl(exponent, ir.Constant(_BITS, [52] * WIDTH)))
        pair = (builder.bitcast(mantissa, _VECTOR), builder.sitofp(exponent, _VECTOR))
        return context.make_tuple(builder, sig.return_type, pair)

    return types.UniTuple(f64x8, 2)(x), codegen


_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LARGEST, _TINY = 708.0, 2.2250738585072014e-308


def exp(x: Any) -> Any:
    """Return e to the power of each lane, to 2.5 ulp; beyond +-708 the value at +-708, NaN of an infinity."""
    raise NotImplementedError("compiled only")


def log(x: Any) -> Any:
    """Return the natural logarithm of each lane, to 2 ulp; that of the smallest normal number under it; NaN under 0."""
    raise NotImplementedError("compiled only")


def power(x: Any, y: Any) -> Any:
    """Return ``x`` to the power of ``y`` through logarithm and exponential."""
    raise NotImplementedError("compiled only")


@overload(exp, jit_options={"forceinline": True, **JIT})
def _exp(x):  # type: ignore[no-untyped-def]
    def lanes(x):  # type: ignore[no-untyped-def]
        x = minimum(maximum(x, -_LARGEST), _LARGEST) + 0.0 * x  # the last term keeps a NaN
        n = _nearest(x * _LOG2_E)
        r = (x - n * _LN2_HIGH) - n * _LN2_LOW
        r2 = r * r
        r4 = r2 * r2
        # Taylor's coefficients, but for r^11, which makes up for the r^13 left out.
        low = (1.0 + r + r2 * (0.5 + r * 1.6666666666666666e-01)) + r4 * (
            (4.1666666666666664e-02 + r * 8.3333333333333332e-03)
            + r2 * (1.3888888888888889e-03 + r * 1.9841269841269841e-04)
        )
        high = (2.4801587301587302e-05 + r * 2.7557319223985893e-06) + r2 * (
            2.7557319223985888e-07 + r * 2.5070471551550387e-08 + r2 * 2.0876756987868099e-09
        )
        return _shift_exponent(low + (r4 * r4) * high, n)

    return lanes if isinstance(x, Lanes) else None


@overload(log, jit_options={"forceinline": True, **JIT})
def _log(x):  # type: ignore[no-untyped-def]
    def lanes(x):  # type: ignore[no-untyped-def]
        m, e = _split_exponent(maximum(x, _TINY))
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        z2 = z * z
        z4 = z2 * z2
        p = (0.6666666666666666 + z * 0.4) + z2 * (0.2857142857142857 + z * 0.2222222222222222)
        q = (0.18181818181818182 + z * 0.15384615384615385) + z2 * (
            0.13333333333333333 + z * 0.11764705882352941 + z2 * (0.10526315789473684 + z * 0.09523809523809523)
        )
        value = e * _LN2_HIGH + (2.0 * s + (s * z * (p + z4 * q) + e * _LN2_LOW))
        return select(x < 0.0, float("nan"), value + 0.0 * x)

    return lanes if isinstance(x, Lanes) else None


@overload(power, jit_options={"forceinline": True, **JIT})
def _power(x, y):  # type: ignore[no-untyped-def]
    return (lambda x, y: exp(y * log(x))) if isinstance(x, Lanes) or isinstance(y, Lanes) else None
