// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for the lean shims: one piece, allocated from its start upwards.
 */
#include <sys/mman.h>

#include "machine.h"

__thread unsigned int machine_cpu;

static size_t handed_out;	/* up to here */
static unsigned long allocated;	/* bytes that were asked for */

/* Huge pages, as the kernel has for its own memory */
void machine_boot(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
	void *memory = mmap((void *)MACHINE_BASE, MACHINE_BYTES, PROT_READ | PROT_WRITE,
			    flags, -1, 0);

	if (memory != (void *)MACHINE_BASE)
		machine_die("no address space at %#lx", MACHINE_BASE);
	madvise(memory, MACHINE_BYTES, MADV_HUGEPAGE);
	/* Nothing is at physical address 0. */
	handed_out = SZ_1M;
}

/* Align memory as the kernel does, so that caches affect both sides in the same way. */
static size_t alignment(size_t size)
{
	if (size >= SZ_64K)
		return 2 * SZ_1M;
	return size >= PAGE_SIZE ? PAGE_SIZE : max(roundup_pow_of_two(size), 64UL);
}

/* Allocate zeroed memory. */
void *machine_alloc(size_t size)
{
	size_t align = alignment(size);
	void *memory = phys_to_virt(ALIGN(handed_out, align));

	handed_out = ALIGN(handed_out, align) + size;
	if (handed_out > MACHINE_BYTES)
		machine_die("more than %lu MiB are needed", MACHINE_BYTES >> 20);
	allocated += size;
	return memory;
}

unsigned long machine_allocated(void)
{
	return allocated;
}

void machine_spin_wait(spinlock_t *lock)
{
	do {
		cpu_relax();
	} while (!spin_trylock(lock));
}

void machine_say(const char *text)
{
	fprintf(stderr, "kernel: %s", text);
}

void machine_die(const char *fmt, ...)
{
	va_list args;

	fputs("error: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

bool cc_platform_has(enum cc_attr attr)
{
	return false;
}

int kstrtoul(const char *text, unsigned int base, unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, base);
	return !*text || *end ? -EINVAL : 0;
}

/* There is no high memory. */
void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	abort();
}

void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	abort();
}
