/* Errors of the data plane: few, separable answers, and where the input was wrong. */
#ifndef VG_ERR_H
#define VG_ERR_H

#include <stddef.h>

typedef enum vg_err {
    VG_OK = 0,
    VG_MORE,        /* not an error: the input ends before the thing does; come back with more */
    VG_AGAIN,       /* not an error: pull what is ready, then give the same input again */
    VG_SHORT,       /* a length promises more bytes than there are */
    VG_VALUE,       /* a value that its specification forbids */
    VG_LIMIT,       /* a limit of ours was reached (the fault names it) */
    VG_UNSUPPORTED, /* legal, and not handled here */
    VG_SYSTEM,      /* a system call failed; errno tells which */
} vg_err;

/* Where and why. Written only together with SHORT, VALUE, LIMIT and UNSUPPORTED. */
typedef struct vg_fault {
    size_t offset;    /* byte offset into the input that was given */
    const char *rule; /* static text: the clause, or the name of the limit; never NULL */
} vg_fault;

#endif
