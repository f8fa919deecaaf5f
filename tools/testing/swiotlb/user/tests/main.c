// SPDX-License-Identifier: GPL-2.0
/*
 * Runs tests, one for each CPU at a time, and prints KTAP in their order.
 *
 *	unit [-v] [-x] [NAME...]	all, or those whose name starts with NAME;
 *					-v shows what the kernel says,
 *					-x ends at the first failure
 */
#include <signal.h>
#include <unistd.h>

#include "test.h"

static struct test *tests;
static bool skipped;
static u64 masks[8];
static unsigned int nr_masks;

const struct test *running;

const char *const frames_names[] = {
	"native", "identity", "offset", "by_page", "by_2m", NULL,
};

/* Keep tests in alphabetical order. The linker decides in which order they are added. */
void add_test(struct test *test)
{
	struct test **at = &tests;

	while (*at && strcmp((*at)->name, test->name) < 0)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

void boot(enum machine_frames frames, const char *param)
{
	struct machine_config config = { .frames = frames, .param = param, .seed = 1 };

	machine_boot(&config);
}

void device_init(struct device *dev, unsigned int mask_bits)
{
	u64 *mask = &masks[nr_masks++ % ARRAY_SIZE(masks)];

	*mask = DMA_BIT_MASK(mask_bits);
	machine_device_init(dev, mask);
}

/* The pages are full of random bytes, so that a copy of too much shows. */
struct buffer buffer_alloc(size_t size, size_t offset, gfp_t gfp)
{
	phys_addr_t pages = machine_alloc(offset + size, gfp);
	u64 random = pages;

	EXPECT(pages != DMA_PHYS_NONE);
	fill_random(pages, PAGE_ALIGN(offset + size), &random);
	return (struct buffer){ pages + offset, size, pages };
}

void buffer_free(struct buffer *buffer)
{
	machine_free(buffer->pages, buffer->phys - buffer->pages + buffer->size);
}

/* Map, and check everything that a driver may rely on. */
dma_addr_t map(struct device *dev, struct buffer *buffer, enum dma_data_direction dir)
{
	dma_addr_t dma = swiotlb_map(dev, buffer->phys, buffer->size, dir, 0);

	if (dma == DMA_MAPPING_ERROR)
		return dma;
	contract_check(dev, buffer->phys, buffer->size, 0, dma);
	contract_check_content(dev, buffer->phys, buffer->size, dma);
	return dma;
}

void unmap(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir)
{
	swiotlb_tbl_unmap_single(dev, dma_to_phys(dev, dma), size, dir, 0);
}

/* Map a buffer as often as there is room, up to @most times. Returns how often. */
unsigned int map_up_to(struct device *dev, struct buffer *buffer, dma_addr_t *dma,
		       unsigned int most, enum dma_data_direction dir)
{
	unsigned int nr;

	for (nr = 0; nr < most; nr++) {
		dma[nr] = map(dev, buffer, dir);
		if (dma[nr] == DMA_MAPPING_ERROR)
			break;
	}
	return nr;
}

void unmap_all(struct device *dev, struct buffer *buffer, dma_addr_t *dma, unsigned int nr,
	       enum dma_data_direction dir)
{
	while (nr--)
		unmap(dev, dma[nr], buffer->size, dir);
}

unsigned long slots_used(void)
{
	return swiotlb_mem_used(&io_tlb_default_mem);
}

/* A file of the default software IO TLB in debugfs */
u64 counter(const char *name)
{
	u64 value;

	EXPECT(machine_read_counter("swiotlb", name, &value));
	return value;
}

/* The high-water mark may be too high, by a sixteenth of all slots, but not too low. */
void expect_hiwater(unsigned long most_used)
{
	u64 mark = counter("io_tlb_used_hiwater");

	if (mark < most_used || mark > most_used + counter("io_tlb_nslabs") / 16)
		machine_fail("high-water mark %llu, but %lu slots were in use",
			     (unsigned long long)mark, most_used);
}

/* The test cannot run here. It must still end like any other test. */
void test_skip(const char *reason)
{
	printf("# skipped: %s\n", reason);
	skipped = true;
}

static void run(const void *variant)
{
	alarm(60);
	running->run(*(const unsigned int *)variant);
	machine_shut_down();
	contract_check_all_free(&io_tlb_default_mem);
	exit(skipped ? KTAP_SKIPPED : 0);
}

static bool chosen(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strncmp(name, argv[i], strlen(argv[i])))
			return true;
	return argc == 1;
}

static unsigned int variants_of(const struct test *test)
{
	unsigned int nr = 0;

	while (test->variants && test->variants[nr])
		nr++;
	return max(nr, 1U);
}

/* A test that has been started */
struct job {
	struct ktap_process process;
	char name[80];
};

static struct job jobs[8];
static unsigned int started, ended, nr_jobs;

static void start(unsigned int variant)
{
	struct job *job = &jobs[started++ % nr_jobs];

	snprintf(job->name, sizeof(job->name), "%s%s%s", running->name,
		 running->variants ? "." : "",
		 running->variants ? running->variants[variant] : "");
	ktap_start(&job->process, run, &variant);
}

/* Wait for the test that was started first. Has it passed? */
static bool end(void)
{
	struct job *job = &jobs[ended++ % nr_jobs];

	return ktap_result(ended, job->name, ktap_wait(&job->process));
}

/* The others that were started are of no interest any more. */
static void kill_all(void)
{
	for (; ended < started; ended++)
		kill(jobs[ended % nr_jobs].process.pid, SIGKILL);
}

int main(int argc, char **argv)
{
	unsigned int planned = 0, failed = 0, i;
	bool give_up = false;

	for (; argc > 1 && *argv[1] == '-'; argc--, argv++) {
		machine_verbose |= argv[1][1] == 'v';
		give_up |= argv[1][1] == 'x';
	}
	for (running = tests; running; running = running->next)
		if (chosen(running->name, argc, argv))
			planned += variants_of(running);

	/* Children inherit what all machines need. */
	boot(FRAMES_BY_PAGE, "512");
	printf("KTAP version 1\n1..%u\n", planned);
	nr_jobs = clamp(sysconf(_SC_NPROCESSORS_ONLN), 1L, (long)ARRAY_SIZE(jobs));
	for (running = tests; running; running = running->next) {
		for (i = 0; chosen(running->name, argc, argv) && i < variants_of(running); i++) {
			if (started - ended == nr_jobs)
				failed += !end();
			if (failed && give_up)
				break;
			start(i);
		}
	}
	while (ended < started && !(failed && give_up))
		failed += !end();
	kill_all();
	return failed || !planned;
}
