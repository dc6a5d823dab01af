#define _GNU_SOURCE /* for the cores that this process may use */
#include "threads.h"

#include "notes.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const double LEAST_OPERATIONS = 1e7; /* of each thread: a tenth of a millisecond, ten times what a start takes */

enum {
    SPINS = 1000,        /* looks for the next task before a thread sleeps: some ten microseconds */
    STACK = 1 << 20,     /* bytes */
};

/* Seconds in which calls stay on their own thread after one that took no less time on several. */
static const double FIRST_PAUSE = 0.005, LONGEST_PAUSE = 0.1;

/* The present call. Threads that take part are counted in `active`. */
struct job {
    task_function *task;
    void *context;
    ptrdiff_t tasks;
    int threads;
    atomic_ptrdiff_t next;
    ptrdiff_t own_tasks; /* those of the calling thread */
    int joined;
    atomic_int active;
    unsigned notes;
};

static pthread_mutex_t in_use = PTHREAD_MUTEX_INITIALIZER; /* held by the call that has the threads */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* protects what follows and is not atomic */
static pthread_cond_t has_job = PTHREAD_COND_INITIALIZER, is_done = PTHREAD_COND_INITIALIZER;
static struct job *present = NULL;
static atomic_uint number_of_jobs = 0;
static int workers = 0;
static pthread_t threads[MOST_THREADS];
static atomic_int chosen = 0;
static _Atomic double pause_end = 0, pause_length = 0;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* -- how many ------------------------------------------------------------------------------------------------------ */

static int limit_in_environment(const char *name)
{
    const char *value = getenv(name);
    int number = value != NULL ? atoi(value) : 0;
    return number > 0 && number < MOST_THREADS ? number : MOST_THREADS;
}

static int cores(void)
{
    static atomic_int known = 0;
    int number = known;
    if (number == 0) {
#if defined(__linux__)
        cpu_set_t set;
        number = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
#else
        number = (int)sysconf(_SC_NPROCESSORS_ONLN);
#endif
        int limit = limit_in_environment("OMP_NUM_THREADS");
        number = number < 1 ? 1 : number > limit ? limit : number;
        known = number;
    }
    return number;
}

void choose_threads(int number)
{
    chosen = number;
    pause_end = 0;
}

int chosen_threads(void) { return chosen; }

int most_threads(void) { return chosen ? chosen : cores(); }

int threads_for(double operations, ptrdiff_t tasks)
{
    int most = most_threads();
    if (most == 1 || tasks < 2 || operations < 2 * LEAST_OPERATIONS)
        return 1;
    if (pause_end > 0 && now() < pause_end)
        return 1;
    double by_work = operations / LEAST_OPERATIONS;
    double number = by_work < (double)tasks ? by_work : (double)tasks;
    return number < most ? (int)number : most;
}

/* -- the threads --------------------------------------------------------------------------------------------------- */

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static ptrdiff_t next_task(struct job *job) { return atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed); }

/* Runs tasks until none is left, and returns how many. */
static ptrdiff_t run_own_tasks(struct job *job, int worker)
{
    ptrdiff_t count = 0;
    for (ptrdiff_t index; (index = next_task(job)) < job->tasks; count++)
        job->task(job->context, index, worker);
    return count;
}

/* Takes part in the present call, if it still takes threads. The lock is held before and after. */
static void join(void)
{
    struct job *job = present;
    if (job == NULL || job->joined >= job->threads)
        return;
    int worker = job->joined++;
    job->active++;
    pthread_mutex_unlock(&lock);
    write_notes(0);
    run_own_tasks(job, worker);
    unsigned notes = read_notes();
    pthread_mutex_lock(&lock);
    job->notes |= notes;
    if (atomic_fetch_sub(&job->active, 1) == 1)
        pthread_cond_signal(&is_done);
}

static void *work(void *unused)
{
    unsigned seen = 0;
    for (;;) {
        for (int spin = 0; spin < SPINS && atomic_load(&number_of_jobs) == seen; spin++)
            relax();
        pthread_mutex_lock(&lock);
        while (atomic_load(&number_of_jobs) == seen)
            pthread_cond_wait(&has_job, &lock);
        seen = atomic_load(&number_of_jobs);
        join();
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

/* A child has none of its parent's threads, and the parent's locks in any state. */
static void forget_parent(void)
{
    pthread_mutex_init(&in_use, NULL);
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&has_job, NULL);
    pthread_cond_init(&is_done, NULL);
    present = NULL;
    workers = 0;
}

static void register_fork(void) { pthread_atfork(NULL, NULL, forget_parent); }

/* Starts one thread, which leaves all signals to those of Python; returns whether it runs. */
static int start_worker(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t every, before;
    sigfillset(&every);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    int failed = pthread_create(&thread, &attributes, work, NULL);
    if (!failed)
        threads[workers] = thread;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

static void start_workers(int number)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork);
    while (workers < number && start_worker())
        workers++;
}

/* -- calls --------------------------------------------------------------------------------------------------------- */

/* Lets no more threads take part in a call, and waits for those that do. */
static void end_call(struct job *job)
{
    pthread_mutex_lock(&lock);
    present = NULL;
    pthread_mutex_unlock(&lock);
    for (int spin = 0; spin < SPINS && atomic_load(&job->active) > 0; spin++)
        relax();
    pthread_mutex_lock(&lock); /* the last thread to leave still holds it */
    while (atomic_load(&job->active) > 0)
        pthread_cond_wait(&is_done, &lock);
    pthread_mutex_unlock(&lock);
}

/* Keeps the threads off the core of this one: a system may wake them there, where they wait until this one rests. */
static void leave_core(void)
{
#if defined(__linux__) && defined(__GLIBC__)
    cpu_set_t set;
    int own = sched_getcpu();
    if (own < 0 || sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 2)
        return;
    CPU_CLR((size_t)own, &set);
    pthread_mutex_lock(&lock);
    for (int worker = 0; worker < workers; worker++)
        pthread_setaffinity_np(threads[worker], sizeof set, &set);
    pthread_mutex_unlock(&lock);
#endif
}

/* Leaves the threads alone for a while if waiting for them took longer than their help saved: another program has the
   cores. The tasks of the calling thread tell how long all of them would have taken it. Threads that came too late for
   a task, as from sleep, cost nothing. */
static void learn(const struct job *job, double computed, double waited)
{
    if (job->own_tasks == job->tasks) {
        leave_core();
        return;
    }
    if (job->own_tasks == 0 || computed + waited < computed * (double)job->tasks / (double)job->own_tasks) {
        pause_length = 0;
        return;
    }
    double length = pause_length == 0 ? FIRST_PAUSE : 2 * pause_length;
    pause_length = length < LONGEST_PAUSE ? length : LONGEST_PAUSE;
    pause_end = now() + pause_length;
}

static void run_together(struct job *job)
{
    double start = now();
    pthread_mutex_lock(&lock);
    start_workers(job->threads - 1);
    present = job;
    atomic_fetch_add(&number_of_jobs, 1);
    pthread_cond_broadcast(&has_job);
    pthread_mutex_unlock(&lock);
    job->own_tasks = run_own_tasks(job, 0);
    double computed = now();
    end_call(job);
    learn(job, computed - start, now() - computed);
    write_notes(read_notes() | job->notes);
}

void run_tasks(task_function *task, void *context, ptrdiff_t tasks, int threads)
{
    struct job job = {.task = task, .context = context, .tasks = tasks, .threads = threads, .joined = 1};
    if (threads > 1 && tasks > 1 && pthread_mutex_trylock(&in_use) == 0) {
        run_together(&job);
        pthread_mutex_unlock(&in_use);
    } else {
        run_own_tasks(&job, 0);
    }
}
