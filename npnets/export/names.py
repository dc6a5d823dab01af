"""The name of what a file exports: an identifier of C, C++ and Python that none of them uses itself."""

import keyword
import math
import os
import re

_C = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
alignas alignof and and_eq asm atomic_cancel bitand bitor bool catch char8_t char16_t char32_t class compl concept
consteval constexpr constinit const_cast co_await co_return co_yield decltype delete dynamic_cast explicit export false
friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public reinterpret_cast
requires static_assert static_cast template this thread_local throw true try typeid typename using virtual wchar_t xor
xor_eq main typeof NULL EOF NAN INFINITY linux unix i386 size_t ptrdiff_t float_t double_t
"""
_BUILT_INTO_COMPILERS = """
abort abs aligned_alloc alloca assert bcmp bcopy bzero cabs cacos calloc carg casin catan ccos cexp cimag clog conj
cproj creal csin csqrt ctan dcgettext dgettext execl execv execve exit ffs ffsl fork fprintf fputc fputs free fscanf
fwrite gettext imaxabs index isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint ispunct isspace
isupper iswalpha isxdigit labs llabs malloc memchr memcmp memcpy memmove mempcpy memset posix_memalign printf putchar
puts realloc rindex scanf snprintf sprintf sscanf stpcpy strcasecmp strcat strchr strcmp strcpy strcspn strdup strfmon
strftime strlen strncasecmp strncat strncmp strncpy strndup strnlen strpbrk strrchr strspn strstr toascii tolower
toupper towupper vfprintf vprintf vscanf vsnprintf vsprintf vsscanf
fpclassify isgreater isgreaterequal isless islessequal islessgreater isnormal isunordered signbit
"""
_OF_MATH_H = """
drem exp10 fdim finite fma fmax fmin ilogb j0 j1 jn llrint llround logb lrint lround nan nearbyint nexttoward pow10
remquo rint round scalb scalbln scalbn significand sincos tgamma y0 y1 yn
"""
_MACROS_OF_MATH_H = re.compile("(M|FP)_.*|HUGE_VAL.*|MATH_ERR.*|SNAN.*|MAXFLOAT|math_errhandling|signgam|issubnormal")
_MATHS = {f"{name}{suffix}" for name in (*dir(math), *_OF_MATH_H.split()) for suffix in ("", "f", "l")}
_RESERVED = frozenset({*_C.split(), *_BUILT_INTO_COMPILERS.split(), *keyword.kwlist, *_MATHS, "math", "self_test"})
_LONGEST = 63


def checked_name(name: str | None, path: str) -> str:
    """Return the name that was given, or one made from a file's name.

    Raises
    ------
    TypeError, ValueError
        If it is no text or no identifier, or one that C, C++ or Python uses itself.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a text such as 'policy', but is {name!r:.80}")
    found = _from_path(path) if name is None else name
    where = f"name {found!r}" if name is not None else f"the name {found!r}, made from that of the file {path!r:.120},"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", found, re.ASCII) or "__" in found or len(found) > _LONGEST:
        raise ValueError(
            f"{where} must be an identifier of C and Python: at most {_LONGEST} letters, digits and single "
            "underscores, with a letter first; pass another one, such as name='policy'"
        )
    if found in _RESERVED or _MACROS_OF_MATH_H.fullmatch(found):
        raise ValueError(f"{where} is a word that C or Python uses itself; pass another one, name='{found}_policy'")
    return found


def _from_path(path: str) -> str:
    stem = os.path.basename(path).split(".")[0]
    plain = re.sub(r"_+", "_", re.sub(r"\W", "_", stem, flags=re.ASCII)).strip("_")
    return plain if plain[:1].isalpha() else f"policy_{plain}".strip("_")
