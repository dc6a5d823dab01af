/* Tasks of one call side by side, on threads of the operating system that know nothing of Python.

   A call never waits for a thread that has not begun a task: while other programs use the cores, this thread computes
   all tasks itself. One call at a time has the threads; another one that comes meanwhile, from any thread of Python,
   computes its tasks alone. A forked child starts threads of its own. */

#ifndef NPNETS_THREADS_H
#define NPNETS_THREADS_H

#include <stddef.h>

enum { MOST_THREADS = 64 };

/* One task: `index` counts the tasks of a call, `worker` the threads that take part in it, from zero. */
typedef void task_function(void *context, ptrdiff_t index, int worker);

/* Returns how many threads a call takes at most whose tasks need this many floating-point operations. */
int threads_for(double operations, ptrdiff_t tasks);

/* Runs tasks 0 to `tasks` - 1 on at most that many threads, this one among them, and returns when all are done. Which
   thread runs which task changes from run to run: the results of tasks must not depend on it. */
void run_tasks(task_function *task, void *context, ptrdiff_t tasks, int threads);

/* The largest number of threads: zero, as at first, takes one for each core this process may use. */
void choose_threads(int number);
int chosen_threads(void);

/* The present largest number, the cores counted. */
int most_threads(void);

#endif
