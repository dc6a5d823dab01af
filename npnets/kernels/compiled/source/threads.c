#include "threads.h"

static int chosen = 0;

void choose_threads(int number) { chosen = number; }

int chosen_threads(void) { return chosen; }

int threads_for(double operations, ptrdiff_t tasks)
{
    (void)operations;
    (void)tasks;
    return 1;
}

void run_tasks(task_function *task, void *context, ptrdiff_t tasks, int threads)
{
    (void)threads;
    for (ptrdiff_t index = 0; index < tasks; index++)
        task(context, index, 0);
}
