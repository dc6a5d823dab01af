/* The update of one leaf by an optimizer's rule: what the binding hands over. */

#ifndef NPNETS_OPTIMIZERS_CALL_H
#define NPNETS_OPTIMIZERS_CALL_H

#include <stddef.h>

enum { MOST_NUMBERS = 8, MOST_ARRAYS = 4 };

/* Contiguous arrays of one size: those that come in, as the rule's function names them, and the new ones. */
struct leaf {
    ptrdiff_t size;
    int type;
    double numbers[MOST_NUMBERS];
    const void *in[MOST_ARRAYS];
    void *out[MOST_ARRAYS];
};

/* Updates `count` entries from `first` on. */
typedef void update_function(const struct leaf *leaf, ptrdiff_t first, ptrdiff_t count);

#endif
