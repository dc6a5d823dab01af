/* Memory of one call: a buffer that each thread keeps from call to call, because fresh pages cost as much as the work. */

#ifndef NPNETS_WORKSPACE_H
#define NPNETS_WORKSPACE_H

#include <stddef.h>

/* Returns at least `bytes` bytes, aligned to a cache line and not initialized, or NULL if there is no memory. They belong to
   the calling thread until its next call. */
void *workspace(size_t bytes);

/* Rounds a number of elements up, so that the next part of a workspace begins at a cache line. */
static inline size_t padded(size_t elements) { return (elements + 15) & ~(size_t)15; }

#endif
