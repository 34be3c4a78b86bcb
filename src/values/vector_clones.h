// PRESIL_VECTOR_CLONES before a function: compiled for the baseline and for AVX2, and chosen when
// the program starts. Both give the same bits: every lane is rounded by itself and nothing is
// contracted. The sanitizers start later than that choice, so their builds have one version.
#pragma once

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define PRESIL_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define PRESIL_VECTOR_CLONES
#endif
