/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on purpose, see inject.c.
 */
#ifndef _INJECT_H
#define _INJECT_H

#include "test.h"

#define NSLABS		1024UL		/* of the default pool, if nothing fails */

enum { NATIVE, ENCRYPTED, XEN };
extern const char *const machines[];
extern const struct machine_config configs[];

/**
 * struct fault - what is done while something fails
 * @prepare:	Runs first, without failures; or %NULL.
 * @act:	Runs while something fails.
 * @check:	Checks the result, and that the same works when nothing fails.
 */
struct fault {
	void (*prepare)(void);
	void (*act)(void);
	void (*check)(void);
};

/**
 * struct others - what is in use besides the software IO TLB
 * @pages:	Pages.
 * @objects:	Objects of kmalloc().
 * @extents:	Frames of extents that the hypervisor gave.
 */
struct others {
	long pages;
	long objects;
	long extents;
};

extern struct others others;
extern unsigned int machine;		/* index of @configs */

void check_whole(void);
void check_nothing_lost(void);
void fail_each(unsigned int machine, const struct fault *fault);

#endif
