/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a fuzzer calls: libFuzzer, AFL++ through its driver for such entries, or
 * standalone.c, which takes files.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <linux/types.h>

int fuzz_one(const u8 *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

#endif
