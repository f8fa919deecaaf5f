// SPDX-License-Identifier: GPL-2.0
/*
 * Machine frames as a module can see them, and swiotlb's counters.
 */
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pfn.h>
#include <linux/uaccess.h>
#include <xen/xen.h>
#include <asm/xen/page.h>

#include "parity.h"

/* Do not map low memory: kernel text is there, and more. */
#define RUN_FROM	SZ_256M

unsigned long machine_frame(unsigned long pfn)
{
	return xen_pv_domain() ? pfn_to_mfn(pfn) : pfn;
}

/* The highest frame that is memory of this kernel. */
unsigned long machine_highest(void)
{
	unsigned long pfn, mfn, highest = 0;

	if (!xen_pv_domain()) {
		for (pfn = BIT(36 - PAGE_SHIFT); pfn && !page_is_ram(pfn); pfn--)
			;
		return pfn;
	}
	for (pfn = 0; pfn < xen_p2m_size; pfn++) {
		mfn = xen_p2m_addr[pfn];
		if (!(mfn & (FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT)) && mfn > highest)
			highest = mfn;
	}
	return highest;
}

bool machine_contiguous(void *mem, size_t size)
{
	unsigned long pfn = PHYS_PFN(virt_to_phys(mem));
	unsigned long mfn = machine_frame(pfn);
	unsigned long i;

	for (i = 1; i < PFN_UP(offset_in_page(mem) + size); i++) {
		if (machine_frame(pfn + i) != mfn + i)
			return false;
	}
	return true;
}

static unsigned long run_length(unsigned long pfn, unsigned long most)
{
	unsigned long n = 0;

	while (n < most && page_is_ram(pfn + n) && pfn_valid(pfn + n))
		n++;
	return n;
}

/*
 * Memory in use by others, contiguous for the CPU, and beyond the reach of 32 bits. It
 * is for mappings that the device only reads, and that are larger than the page
 * allocator's largest pages.
 */
struct page *machine_run(size_t size)
{
	unsigned long pfn = PHYS_PFN(xen_pv_domain() ? RUN_FROM : BIT_ULL(32) + RUN_FROM);
	unsigned long most = PFN_UP(size);
	unsigned long end = pfn + PHYS_PFN(SZ_2G);
	unsigned long n;

	for (; pfn < end; pfn += n + 1) {
		n = run_length(pfn, most);
		if (n == most)
			return pfn_to_page(pfn);
	}
	return NULL;
}

/* debugfs writes to user memory only, so map some: the caller is a process. */
static long read_number(struct file *file)
{
	unsigned long page = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	char __user *user = (char __user *)page;
	char text[24] = "";
	loff_t at = 0;
	long value;

	if (IS_ERR_VALUE(page))
		return page;
	value = file->f_op->read(file, user, sizeof(text) - 1, &at);
	if (value > 0 && copy_from_user(text, user, value))
		value = -EFAULT;
	if (value > 0 && kstrtol(strim(text), 10, &value))
		value = -EINVAL;
	vm_munmap(page, PAGE_SIZE);
	return value;
}

/* A counter of debugfs; a negative number when it is not there. */
long swiotlb_counter(const char *name)
{
	char path[64];
	struct file *file;
	long value;

	snprintf(path, sizeof(path), "/sys/kernel/debug/swiotlb/%s", name);
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	value = read_number(file);
	filp_close(file, NULL);
	return value;
}
