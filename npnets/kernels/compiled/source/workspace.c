#include "workspace.h"

#include <pthread.h>
#include <stdlib.h>

enum { ALIGNMENT = 64, LEAST = 1 << 16 };

struct buffer {
    void *memory;
    size_t bytes;
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_buffer(void *value)
{
    struct buffer *own = value;
    free(own->memory);
    free(own);
}

static void make_key(void) { pthread_key_create(&key, free_buffer); }

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
    if (own->memory == NULL || own->bytes < bytes) {
        size_t size = bytes < LEAST ? LEAST : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        free(own->memory);
        own->memory = NULL;
        own->bytes = 0;
        if (posix_memalign(&own->memory, ALIGNMENT, size) != 0)
            return NULL;
        own->bytes = size;
    }
    return own->memory;
}
