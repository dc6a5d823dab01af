#include "processor.h"

#include "python_api.h"

extern const struct kernels baseline_float, baseline_double;

static int always(void) { return 1; }

#if defined(__x86_64__)
extern const struct kernels avx2_float, avx2_double, avx512_float, avx512_double;

static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

const struct instruction_set instruction_sets[] = {
#if defined(__x86_64__)
    {"avx512", has_avx512, &avx512_float, &avx512_double},
    {"avx2", has_avx2, &avx2_float, &avx2_double},
#endif
#if defined(__aarch64__)
    {"neon", always, &baseline_float, &baseline_double},
#else
    {"baseline", always, &baseline_float, &baseline_double},
#endif
    {NULL, NULL, NULL, NULL},
};

const struct instruction_set *chosen = NULL;

const struct kernels *kernels_of(int type) { return type == NPY_FLOAT ? chosen->of_float : chosen->of_double; }
