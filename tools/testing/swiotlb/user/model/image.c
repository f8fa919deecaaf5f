// SPDX-License-Identifier: GPL-2.0
/*
 * The expected contents of memory. The model does here, with memcpy(), what the software
 * IO TLB is expected to do in the machine's memory, and nothing else.
 */
#include <sys/mman.h>

#include "model.h"

static u8 *image;

static u8 *at(phys_addr_t phys)
{
	return image + PFN_PHYS(machine_page_index(phys)) + offset_in_page(phys);
}

void image_reset(void)
{
	if (image)
		return;
	image = mmap(NULL, PFN_PHYS(MACHINE_PAGES), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (image == MAP_FAILED)
		machine_fail("no memory for the image");
}

/* Expect the present contents of these bytes from now on. */
void image_take(phys_addr_t phys, size_t size)
{
	memcpy(at(phys), machine_memory(phys), size);
}

/* Expect that these bytes have been cleared, as bounce memory is before devices see it. */
void image_take_cleared(phys_addr_t phys, size_t size)
{
	if (!size)
		return;
	memset(at(phys), 0, size);
	image_check(phys, size);
}

void image_copy(phys_addr_t to, phys_addr_t from, size_t size)
{
	memcpy(at(to), at(from), size);
}

void image_write(phys_addr_t phys, const void *data, size_t size)
{
	memcpy(at(phys), data, size);
}

/* Compare data that was read with the data that is expected at @phys. */
void image_check_data(phys_addr_t phys, const void *data, size_t size, const char *who)
{
	const u8 *expected = at(phys), *seen = data;
	size_t i;

	if (!memcmp(seen, expected, size))
		return;
	for (i = 0; seen[i] == expected[i]; i++)
		;
	machine_fail("byte %#zx of %#zx at %#llx is %02x %s, expected %02x", i, size,
		     (unsigned long long)phys, seen[i], who, expected[i]);
}

void image_check(phys_addr_t phys, size_t size)
{
	image_check_data(phys, machine_memory(phys), size, "in memory");
}
