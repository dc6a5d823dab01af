/* Every kernel, for one instruction set and one width of numbers. */

#ifndef NPNETS_TABLE_H
#define NPNETS_TABLE_H

struct kernels {
    int placeholder;
};

#endif
