/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fake machine: the smallest one on which the software IO TLB runs as on a
 * real one.
 *
 *	memory.c	pages, kmalloc, memblock, memory encryption
 *	coherent.c	contiguous memory, and remapped addresses
 *	frames.c	which machine frame is behind a page; the hypervisor's exchange
 *	device.c	devices, and what they read and write by DMA address
 *	contract.c	checks of what a caller of the software IO TLB may rely on
 *	inside.c	checks that read the data structures of the software IO TLB
 *	sync.c		locks, interrupts, RCU, work
 *	report.c	messages, warnings, failure of a test, injected failures
 *	ktap.c		tests in processes of their own
 *	outside.c	boot parameters, initcalls, debugfs
 *	reserved.c	reserved memory of the device tree
 *
 * Memory is in two pieces, so that some of it is out of reach for a 32-bit device:
 *
 *	phys   0x0800000        0x2000000            0x100000000     0x101000000
 *	        |   low, 24 MiB    |      nothing       |  high, 16 MiB  |
 *	pfn     page 0 .... 6143                          6144 ... 10239  (index)
 *
 *	frames  any order, anywhere below 8 GiB, as &struct machine_config says
 *
 * "Physical" means pseudo-physical if frames are permuted. A device sees only frames.
 * machine_dma() finds the frame of a DMA address, and the page that the frame is behind.
 * It calls nothing of the code under test.
 *
 * All allocations of the code under test can be made to fail: see machine_fail_nth().
 */
#ifndef _MACHINE_H
#define _MACHINE_H

#include <linux/swiotlb.h>
#include <linux/dma-direct.h>

#define MACHINE_LOW_START	((phys_addr_t)0x800000)
#define MACHINE_LOW_SIZE	((size_t)24 << 20)
#define MACHINE_HIGH_START	((phys_addr_t)1 << 32)
#define MACHINE_HIGH_SIZE	((size_t)16 << 20)
#define MACHINE_PAGES		((MACHINE_LOW_SIZE + MACHINE_HIGH_SIZE) >> PAGE_SHIFT)

/**
 * enum machine_frames - how machine frames are laid out behind pages
 * @FRAMES_NATIVE:	No hypervisor: the machine address is the physical address.
 * @FRAMES_IDENTITY:	Xen, but every frame has the number of its page.
 * @FRAMES_OFFSET:	Every frame is a constant away from its page.
 * @FRAMES_BY_PAGE:	Pages are permuted one by one.
 * @FRAMES_BY_2M:	Pages are permuted in pieces of 2 MiB.
 */
enum machine_frames {
	FRAMES_NATIVE,
	FRAMES_IDENTITY,
	FRAMES_OFFSET,
	FRAMES_BY_PAGE,
	FRAMES_BY_2M,
	NR_FRAMES,
};

/**
 * struct machine_config - what machine to boot
 * @frames:	Layout of the frames.
 * @cpus:	Number of processors; 0 means 1.
 * @highmem:	The kernel has no addresses for the high memory.
 * @encrypted:	Memory is encrypted, devices see only what has been decrypted.
 * @reach_encrypted: With @encrypted: devices can set the encryption bit, as on an SME
 *		host, so they can access encrypted memory and decrypted memory.
 * @shared_bit:	With @encrypted: set in the DMA address of decrypted memory, as in an arm64
 *		realm; or 0.
 * @encrypted_bit: With @encrypted: set in the DMA address of encrypted memory, as with
 *		SME; or 0.
 * @from_top: The page allocator gives the highest memory of a zone first.
 * @no_atomic_pool: There is no memory that was decrypted in advance.
 * @odd_atomic_pool: That memory is not aligned to more than a page.
 * @param:	Value of swiotlb= on the command line, or %NULL.
 * @flags:	SWIOTLB_* for swiotlb_init().
 * @no_pool:	Boot without a software IO TLB.
 * @seed:	For everything that is random.
 */
struct machine_config {
	enum machine_frames frames;
	unsigned int cpus;
	bool highmem;
	bool encrypted;
	bool reach_encrypted;
	u64 shared_bit;
	u64 encrypted_bit;
	bool from_top;
	bool no_atomic_pool;
	bool odd_atomic_pool;
	const char *param;
	unsigned int flags;
	bool no_pool;
	u64 seed;
};

/**
 * enum machine_failure - what can fail
 * @FAIL_MEMBLOCK:	Memory during boot.
 * @FAIL_KMALLOC:	kmalloc()
 * @FAIL_PAGES:		Pages.
 * @FAIL_EXCHANGE:	The hypervisor's exchange of frames for an extent.
 * @FAIL_DECRYPT:	set_memory_decrypted()
 * @FAIL_ENCRYPT:	set_memory_encrypted()
 * @FAIL_COHERENT:	Memory that was decrypted in advance.
 */
enum machine_failure {
	FAIL_MEMBLOCK,
	FAIL_KMALLOC,
	FAIL_PAGES,
	FAIL_EXCHANGE,
	FAIL_DECRYPT,
	FAIL_ENCRYPT,
	FAIL_COHERENT,
	NR_FAILURES,
};

/* Life of a machine */
void machine_boot(const struct machine_config *config);
void machine_power_on(const struct machine_config *config);
void machine_shut_down(void);
void core_reset(void);
void core_boot(const struct machine_config *config);

/* memory.c */
unsigned long machine_page_index(phys_addr_t phys);
phys_addr_t machine_page_phys(unsigned long index);
phys_addr_t machine_alloc(size_t size, gfp_t gfp);
void machine_free(phys_addr_t phys, size_t size);
u8 *machine_memory(phys_addr_t phys);
bool machine_is_decrypted(unsigned long index);
bool machine_tag_is_right(unsigned long index, dma_addr_t dma);
unsigned long machine_pages_in_use(void);
unsigned long machine_objects_in_use(void);
void machine_memory_reset(const struct machine_config *config);

/* frames.c */
void machine_frames_reset(const struct machine_config *config);
unsigned long machine_frame_of(unsigned long index);
long machine_page_behind(unsigned long mfn);
void machine_make_foreign(phys_addr_t phys, unsigned long their_pfn);
void machine_make_hole(phys_addr_t phys);
void machine_put_frame(phys_addr_t phys, unsigned long mfn);
void machine_map_twice(phys_addr_t phys, size_t size);
unsigned long machine_contiguous_pages(void);
unsigned long machine_extents_in_use(void);
void machine_limit_extents(unsigned int nr);
void machine_fragment_extents(unsigned int order);
void machine_restore(void);

/* device.c */
void machine_device_init(struct device *dev, u64 *mask);
bool machine_dma(struct device *dev, dma_addr_t dma, void *data, size_t size, bool write);
bool machine_reaches(struct device *dev, dma_addr_t dma, size_t size);
phys_addr_t machine_dma_to_phys(struct device *dev, dma_addr_t dma);

/* contract.c */
const char *contract_violation(struct device *dev, phys_addr_t orig, size_t size,
			       unsigned int alloc_align_mask, dma_addr_t dma);
void contract_check(struct device *dev, phys_addr_t orig, size_t size,
		    unsigned int alloc_align_mask, dma_addr_t dma);
void contract_check_content(struct device *dev, phys_addr_t orig, size_t size, dma_addr_t dma);
void fill_random(phys_addr_t phys, size_t size, u64 *random);
void copy_out(void *to, phys_addr_t phys, size_t size);

/* inside.c */
void contract_check_all_free(struct io_tlb_mem *mem);

/* sync.c */
void machine_sync_reset(unsigned int cpus);
void machine_set_cpu(unsigned int cpu);
void machine_set_atomic(bool atomic);
unsigned int machine_work(void);
unsigned int machine_delayed_work(void);
void machine_cancel_work(struct work_struct *work);
void machine_grace_period(void);
unsigned long machine_callbacks_pending(void);
void machine_thread_start(void);
void machine_thread_stop(void);
void machine_other_cpu(void (*work)(void), unsigned int nth_lock);
bool machine_other_cpu_ran(void);
void machine_other_thread(void (*work)(void), unsigned int nth_lock);
bool machine_join_other_thread(void);
extern void (*machine_interrupt)(void);	/* called once, at an ordered store or cmpxchg() */

/* ktap.c */
#define KTAP_KILLED	(-1)
#define KTAP_SKIPPED	4

struct ktap_process {
	int pid;
	int output;	/* the test's, to be read */
};

void ktap_start(struct ktap_process *process, void (*test)(const void *arg), const void *arg);
int ktap_wait(struct ktap_process *process);
bool ktap_result(unsigned int number, const char *name, int code);

/* report.c */
#define EXPECT(condition) do {						\
	if (!(condition))						\
		machine_fail("%s:%d: not so: %s", __FILE_NAME__, __LINE__, #condition); \
} while (0)

#define EXPECT_EQ(a, b) do {						\
	unsigned long long _ea = (a), _eb = (b);			\
	if (_ea != _eb)							\
		machine_fail("%s:%d: %s is %#llx, expected %#llx",	\
			     __FILE_NAME__, __LINE__, #a, _ea, _eb);	\
} while (0)

void machine_report_reset(void);
void machine_context(const char *fmt, ...) __printf(1, 2);
bool machine_said(const char *text);
unsigned int machine_messages(void);
void machine_forget_messages(void);
unsigned int machine_expect_warning(const char *text);
void machine_no_surprises(void);
extern bool machine_verbose;

bool machine_should_fail(enum machine_failure kind);
void machine_fail_nth(enum machine_failure kind, unsigned int nth);
void machine_fail_from(enum machine_failure kind, unsigned int nth);
void machine_fail_all(enum machine_failure kind, bool fail);
unsigned int machine_failure_calls(enum machine_failure kind);

u64 machine_random(u64 *state);

/* outside.c */
int machine_set_param(const char *name, const char *value);
void machine_run_initcalls(void);
bool machine_read_counter(const char *dir, const char *file, u64 *value);
int machine_write_counter(const char *dir, const char *file, u64 value);
void machine_outside_reset(void);

#endif
