/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the software IO TLB includes of the kernel, for a userspace build of its
 * unedited source. A kernel header that needs no file of its own here is one
 * line that includes this file (see FORWARDED in the Makefile). Lists are those
 * of the kernel's own tools/include.
 *
 *	dup.h		types and macros that mean the same as the kernel's
 *	stubs.h		things that do nothing here
 *	custom.h	things that behave differently: read this one
 *	alike.h		definitions that the benchmark uses too, with its minimal shims
 *	coherent.h	what only kernel/dma/direct.c includes
 *	kunit/		what only the KUnit suites of lib/tests include
 */
#ifndef _SHIM_KERNEL_H
#define _SHIM_KERNEL_H

#include "dup.h"
#include "stubs.h"
#include "custom.h"

#include <linux/kconfig.h>
#include <linux/list.h>
#include "rculist.h"
#include "coherent.h"

#endif
