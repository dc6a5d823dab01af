#include "workspace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ALIGNMENT = 64, LEAST = 1 << 16 };

struct buffer {
    void *memory;
    size_t bytes;
    unsigned generation;
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_size_t limit = 1 << 28; /* as that of the buffer pools of Python */
static atomic_size_t held = 0;
static atomic_uint generation = 0; /* a new one each time that all buffers are to be freed */

static void empty(struct buffer *own)
{
    free(own->memory);
    atomic_fetch_sub(&held, own->bytes);
    own->memory = NULL;
    own->bytes = 0;
}

static void end_thread(void *value)
{
    empty(value);
    free(value);
}

static void make_key(void) { pthread_key_create(&key, end_thread); }

static struct buffer *own_buffer(void)
{
    pthread_once(&once, make_key);
    struct buffer *own = pthread_getspecific(key);
    if (own == NULL) {
        own = calloc(1, sizeof *own);
        if (own != NULL)
            pthread_setspecific(key, own);
    }
    return own;
}

void *workspace(size_t bytes)
{
    struct buffer *own = own_buffer();
    if (own == NULL)
        return NULL;
    if (own->generation != generation)
        empty(own);
    own->generation = generation;
    if (own->memory == NULL || own->bytes < bytes) {
        size_t size = bytes < LEAST ? LEAST : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        empty(own);
        if (posix_memalign(&own->memory, ALIGNMENT, size) != 0) {
            own->memory = NULL;
            return NULL;
        }
        own->bytes = size;
        atomic_fetch_add(&held, size);
    }
    return own->memory;
}

void trim_workspace(void)
{
    struct buffer *own = own_buffer();
    if (own != NULL && (own->bytes > limit || own->generation != generation))
        empty(own);
}

size_t limit_workspaces(size_t bytes) { return atomic_exchange(&limit, bytes); }

void free_workspaces(void)
{
    atomic_fetch_add(&generation, 1);
    trim_workspace();
}

size_t held_by_workspaces(void) { return held; }
