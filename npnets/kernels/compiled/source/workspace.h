/* Memory of one call: a buffer that each thread keeps from call to call; fresh pages cost as much as the work. */

#ifndef NPNETS_WORKSPACE_H
#define NPNETS_WORKSPACE_H

#include <stddef.h>

/* Returns at least `bytes` bytes, aligned to a cache line and not initialized, or NULL if there is no memory. They
   belong to the calling thread until its next call. */
void *workspace(size_t bytes);

/* Frees the calling thread's buffer at the end of a call, if it is larger than the limit or all were to be freed. */
void trim_workspace(void);

/* Sets the largest buffer that a thread keeps, and returns the last limit. */
size_t limit_workspaces(size_t bytes);

/* Frees the calling thread's buffer, and those of other threads at the end of their next call. */
void free_workspaces(void);

/* Returns how many bytes the buffers of all threads have. */
size_t held_by_workspaces(void);

/* Rounds a number of elements up, so that the next part of a workspace begins at a cache line. */
static inline size_t padded(size_t elements) { return (elements + 15) & ~(size_t)15; }

#endif
