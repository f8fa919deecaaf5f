/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both software IO TLBs include of the kernel, for a build that is timed. Types
 * and macros are those of the unit tests (user/shim/). Locks, barriers and the like are
 * in lean.h, which checks nothing. They cost as much as in a kernel.
 */
#ifndef _SHIM_KERNEL_H
#define _SHIM_KERNEL_H

#include <dup.h>
#include <stubs.h>
#include "lean.h"

#include <linux/kconfig.h>
#include <linux/list.h>
#include <rculist.h>

#endif
