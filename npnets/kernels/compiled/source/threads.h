/* Tasks of one call side by side, on threads of the operating system that know nothing of Python. */

#ifndef NPNETS_THREADS_H
#define NPNETS_THREADS_H

#include <stddef.h>

enum { MOST_THREADS = 64 };

/* One task: `index` counts the tasks of a call, `worker` the threads that take part in it, from zero. */
typedef void task_function(void *context, ptrdiff_t index, int worker);

/* Returns how many threads a call takes at most whose tasks need this many floating-point operations. */
int threads_for(double operations, ptrdiff_t tasks);

/* Runs tasks 0 to `tasks` - 1 on that many threads, this one among them, and returns when all are done. Which thread runs
   which task changes from run to run: the results of tasks must not depend on it. */
void run_tasks(task_function *task, void *context, ptrdiff_t tasks, int threads);

/* The number of threads that a user chose; zero lets the work decide. */
void choose_threads(int number);
int chosen_threads(void);

#endif
