/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_KUNIT_DEVICE_H
#define _SHIM_KUNIT_DEVICE_H

#include <kunit/test.h>

struct device *kunit_device_register(struct kunit *test, const char *name);

#endif
