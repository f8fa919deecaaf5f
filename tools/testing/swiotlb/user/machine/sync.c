// SPDX-License-Identifier: GPL-2.0
/*
 * Locks, interrupts, RCU and work of the fake machine.
 *
 * Locks are checked as by lockdep. The order in which locks nest is recorded by name. The
 * opposite order is a failure, and so are two held locks of one name. It is a failure too
 * if a lock is taken with interrupts on and elsewhere with interrupts off, and if code
 * sleeps where that is not allowed.
 *
 * RCU: a reader stores the epoch in which it enters, and a grace period waits until each
 * reader has left or has entered later. Only when it leaves does a reader order anything
 * for a writer. Otherwise ThreadSanitizer would not find a missing barrier.
 */
#include <sched.h>

#include "machine.h"

#define MAX_HELD	4
#define MAX_NAMES	8
#define MAX_THREADS	64
#define MAX_WORK	4

static __thread struct {
	const char *held[MAX_HELD];
	unsigned int nr_held;
	const void *locks[MAX_HELD];	/* spinlocks and mutexes, by address */
	unsigned int nr_locks;
	unsigned int rcu_nesting;
	unsigned int cpu;
	unsigned int slot;		/* in readers[], plus one */
	bool irqs_off;
	bool atomic;
} me;

static unsigned int nr_cpus = 1;

__thread unsigned long machine_list_steps;
bool machine_flushing;

/* --- interrupts and contexts --- */

unsigned long machine_irq_save(void)
{
	unsigned long flags = me.irqs_off;

	me.irqs_off = true;
	return flags;
}

void machine_irq_restore(unsigned long flags)
{
	me.irqs_off = flags;
}

void machine_set_atomic(bool atomic)
{
	me.atomic = atomic;
}

void might_sleep(void)
{
	if (me.irqs_off || me.atomic || me.nr_held || me.rcu_nesting)
		machine_fail("something sleeps in atomic context");
}

void machine_set_cpu(unsigned int cpu)
{
	me.cpu = cpu;
}

unsigned int raw_smp_processor_id(void)
{
	return me.cpu;
}

unsigned int num_possible_cpus(void)
{
	return nr_cpus;
}

void machine_full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

unsigned long machine_ticks;
void (*machine_interrupt)(void);

void machine_meanwhile(void)
{
	void (*interrupt)(void) = machine_interrupt;

	if (!interrupt)
		return;
	machine_interrupt = NULL;
	interrupt();
}

void machine_read_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/* --- locks --- */

/* No lock protects these: it would order what is being checked. */
static const char *names[MAX_NAMES];
static bool nests_in[MAX_NAMES][MAX_NAMES];
static bool needs_irqs_off[MAX_NAMES];

static unsigned int name_number(const char *name)
{
	const char *other;
	unsigned int i;

	for (i = 0; i < MAX_NAMES; i++) {
		other = NULL;
		if (__atomic_compare_exchange_n(&names[i], &other, name, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
		    !strcmp(other, name))
			return i;
	}
	machine_fail("too many kinds of locks");
}

static void check_order(const char *name)
{
	unsigned int inner = name_number(name), outer, i;

	for (i = 0; i < me.nr_held; i++) {
		outer = name_number(me.held[i]);
		if (outer == inner)
			machine_fail("two locks are held at once: %s", name);
		WRITE_ONCE(nests_in[inner][outer], true);
		machine_full_barrier();
		if (READ_ONCE(nests_in[outer][inner]))
			machine_fail("%s is taken under %s, and the other way round",
				     name, me.held[i]);
	}
	if (me.irqs_off)
		WRITE_ONCE(needs_irqs_off[inner], true);
	else if (READ_ONCE(needs_irqs_off[inner]))
		machine_fail("%s is taken with interrupts on", name);
}

void machine_lock_init(spinlock_t *lock, const char *name)
{
	pthread_mutex_init(&lock->mutex, NULL);
	lock->name = name;
}

static void (*other_cpu)(void);
static unsigned int other_cpu_at;

/* Run @work as on another CPU, just before this CPU takes the @nth_lock-th lock from now. */
void machine_other_cpu(void (*work)(void), unsigned int nth_lock)
{
	other_cpu = work;
	other_cpu_at = nth_lock;
}

bool machine_other_cpu_ran(void)
{
	return !other_cpu;
}

static void let_other_cpu_work(void)
{
	unsigned int cpu = me.cpu;
	void (*work)(void) = other_cpu;

	if (!work || me.nr_held || --other_cpu_at)
		return;
	other_cpu = NULL;
	work();
	me.cpu = cpu;
}

static struct {
	void (*work)(void);
	unsigned int nth_lock;
	pthread_t thread;
	bool waits;		/* waits for a lock, or has finished */
} other_thread;

static __thread bool in_other_thread;

static void *run_other_thread(void *cpu)
{
	in_other_thread = true;
	machine_set_cpu((uintptr_t)cpu);
	machine_thread_start();
	other_thread.work();
	machine_thread_stop();
	smp_store_release(&other_thread.waits, true);
	return NULL;
}

/*
 * Run @work in another thread, as soon as this one takes the @nth_lock-th lock from now,
 * whatever locks it holds. This thread goes on when the other one has finished, or waits
 * for a lock.
 */
void machine_other_thread(void (*work)(void), unsigned int nth_lock)
{
	memset(&other_thread, 0, sizeof(other_thread));
	other_thread.work = work;
	other_thread.nth_lock = nth_lock;
}

/* Wait until the other thread has finished. Returns whether it was started. */
bool machine_join_other_thread(void)
{
	bool started = other_thread.work && !other_thread.nth_lock;

	if (started)
		pthread_join(other_thread.thread, NULL);
	memset(&other_thread, 0, sizeof(other_thread));
	return started;
}

static void let_other_thread_work(void)
{
	if (!other_thread.nth_lock || --other_thread.nth_lock)
		return;
	if (pthread_create(&other_thread.thread, NULL, run_other_thread,
			   (void *)(uintptr_t)me.cpu))
		machine_fail("no thread for another CPU");
	while (!smp_load_acquire(&other_thread.waits))
		sched_yield();
}

static void lock_mutex(pthread_mutex_t *mutex)
{
	if (!pthread_mutex_trylock(mutex))
		return;
	if (in_other_thread)
		smp_store_release(&other_thread.waits, true);
	pthread_mutex_lock(mutex);
}

bool machine_holds(const void *lock)
{
	unsigned int i;

	for (i = 0; i < me.nr_locks; i++)
		if (me.locks[i] == lock)
			return true;
	return false;
}

static void remember_lock(const void *lock)
{
	if (me.nr_locks == MAX_HELD)
		machine_fail("too many locks are held");
	me.locks[me.nr_locks++] = lock;
}

static void forget_lock(const void *lock)
{
	unsigned int i;

	for (i = 0; i < me.nr_locks && me.locks[i] != lock; i++)
		;
	if (i == me.nr_locks)
		machine_fail("a lock is unlocked by another thread");
	me.locks[i] = me.locks[--me.nr_locks];
}

/* Locks are told apart by their names, such as "&area->lock" and "&dev->dma_io_tlb_lock". */
void spin_lock(spinlock_t *lock)
{
	if (!lock->name)
		machine_fail("a lock was not initialised");
	let_other_cpu_work();
	let_other_thread_work();
	check_order(lock->name);
	lock_mutex(&lock->mutex);
	if (me.nr_held == MAX_HELD)
		machine_fail("too many locks are held");
	me.held[me.nr_held++] = lock->name;
	remember_lock(lock);
}

void spin_unlock(spinlock_t *lock)
{
	if (!me.nr_held || strcmp(me.held[me.nr_held - 1], lock->name))
		machine_fail("%s is unlocked out of order", lock->name);
	me.nr_held--;
	forget_lock(lock);
	pthread_mutex_unlock(&lock->mutex);
}

void mutex_lock(struct mutex *mutex)
{
	might_sleep();
	if (machine_holds(mutex))
		machine_fail("a mutex is taken twice");
	pthread_mutex_lock(&mutex->mutex);
	remember_lock(mutex);
}

void mutex_unlock(struct mutex *mutex)
{
	forget_lock(mutex);
	pthread_mutex_unlock(&mutex->mutex);
}

/* --- RCU --- */

static unsigned long epoch = 1;
static struct {
	unsigned long entered;	/* epoch, or 0 outside */
	bool taken;
} readers[MAX_THREADS];
static struct rcu_head *callbacks;
static unsigned long nr_callbacks;
static pthread_mutex_t callbacks_mutex = PTHREAD_MUTEX_INITIALIZER;

/* A thread that uses RCU calls this first, and machine_thread_stop() at its end. */
void machine_thread_start(void)
{
	unsigned int i;

	for (i = 0; i < MAX_THREADS; i++) {
		if (!__atomic_exchange_n(&readers[i].taken, true, __ATOMIC_RELAXED)) {
			me.slot = i + 1;
			return;
		}
	}
	machine_fail("too many threads");
}

void machine_thread_stop(void)
{
	if (me.nr_held || me.irqs_off || me.rcu_nesting)
		machine_fail("a thread ends with a lock held or with interrupts off");
	__atomic_store_n(&readers[me.slot - 1].taken, false, __ATOMIC_RELAXED);
	me.slot = 0;
}

void rcu_read_lock(void)
{
	if (!me.slot)
		machine_thread_start();
	if (me.rcu_nesting++)
		return;
	/* A grace period that waits for an earlier visit of this reader can go on. */
	smp_store_release(&readers[me.slot - 1].entered, READ_ONCE(epoch));
	machine_full_barrier();
}

void rcu_read_unlock(void)
{
	if (!me.rcu_nesting)
		machine_fail("an RCU reader leaves twice");
	if (!--me.rcu_nesting)
		__atomic_store_n(&readers[me.slot - 1].entered, 0, __ATOMIC_RELEASE);
}

bool rcu_read_lock_held(void)
{
	return me.rcu_nesting;
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	pthread_mutex_lock(&callbacks_mutex);
	head->func = func;
	head->next = callbacks;
	callbacks = head;
	WRITE_ONCE(nr_callbacks, nr_callbacks + 1);
	pthread_mutex_unlock(&callbacks_mutex);
}

/* For an object whose head is its first member */
static void free_object(struct rcu_head *head)
{
	kfree(head);
}

void machine_kfree_rcu(struct rcu_head *head, void *object)
{
	if ((void *)head != object)
		machine_fail("kfree_rcu() of an object that starts elsewhere");
	call_rcu(head, free_object);
}

static void wait_for_readers(void)
{
	unsigned long entered, now;
	unsigned int i;

	machine_full_barrier();
	now = __atomic_add_fetch(&epoch, 1, __ATOMIC_RELAXED);
	machine_full_barrier();
	for (i = 0; i < MAX_THREADS; i++) {
		for (;;) {
			/* Pairs with rcu_read_unlock(). */
			entered = smp_load_acquire(&readers[i].entered);
			if (!entered || entered >= now)
				break;
			sched_yield();
		}
	}
}

void synchronize_rcu(void)
{
	might_sleep();
	if (me.rcu_nesting)
		machine_fail("a grace period within a reader");
	wait_for_readers();
}

/* Wait for readers, then run the callbacks, in softirq context. */
void machine_grace_period(void)
{
	struct rcu_head *list, *next;

	if (me.rcu_nesting)
		machine_fail("a grace period within a reader");
	pthread_mutex_lock(&callbacks_mutex);
	list = callbacks;
	callbacks = NULL;
	WRITE_ONCE(nr_callbacks, 0);
	pthread_mutex_unlock(&callbacks_mutex);

	if (!list)
		return;
	wait_for_readers();
	me.atomic = true;
	for (; list; list = next) {
		next = list->next;
		list->func(list);
	}
	me.atomic = false;
}

unsigned long machine_callbacks_pending(void)
{
	return READ_ONCE(nr_callbacks);
}

/* --- work --- */

static struct work_struct *work_queue[2][MAX_WORK];
static unsigned int nr_work[2];
static pthread_mutex_t work_mutex = PTHREAD_MUTEX_INITIALIZER;

bool machine_queue_work(struct work_struct *work, enum machine_queue queue)
{
	if (__atomic_exchange_n(&work->pending, true, __ATOMIC_RELAXED))
		return false;
	pthread_mutex_lock(&work_mutex);
	if (nr_work[queue] == MAX_WORK)
		machine_fail("too much work");
	work_queue[queue][nr_work[queue]++] = work;
	pthread_mutex_unlock(&work_mutex);
	return true;
}

static struct work_struct *next_work(enum machine_queue queue)
{
	struct work_struct *work = NULL;

	pthread_mutex_lock(&work_mutex);
	if (nr_work[queue]) {
		work = work_queue[queue][--nr_work[queue]];
		WRITE_ONCE(work->pending, false);
	}
	pthread_mutex_unlock(&work_mutex);
	return work;
}

/* Run all work that is queued. Returns how many items ran. */
unsigned int machine_work(void)
{
	struct work_struct *work;
	unsigned int done = 0;

	might_sleep();
	for (; (work = next_work(WORK_NOW)); done++)
		work->func(work);
	return done;
}

/* Run all delayed work, each item once. Returns how many items ran. */
unsigned int machine_delayed_work(void)
{
	struct work_struct *due[MAX_WORK];
	unsigned int nr = 0, i;

	might_sleep();
	while ((due[nr] = next_work(WORK_LATER)))
		nr++;
	for (i = 0; i < nr; i++)
		due[i]->func(due[i]);
	return nr;
}

/* Remove work from both queues, so that it does not run. */
void machine_cancel_work(struct work_struct *work)
{
	unsigned int queue, i;

	might_sleep();
	pthread_mutex_lock(&work_mutex);
	for (queue = WORK_NOW; queue <= WORK_LATER; queue++)
		for (i = 0; i < nr_work[queue]; i++)
			if (work_queue[queue][i] == work)
				work_queue[queue][i--] = work_queue[queue][--nr_work[queue]];
	WRITE_ONCE(work->pending, false);
	pthread_mutex_unlock(&work_mutex);
}

void machine_sync_reset(unsigned int cpus)
{
	nr_cpus = max(cpus, 1U);
	memset(&me, 0, sizeof(me));
	memset(readers, 0, sizeof(readers));
	memset(names, 0, sizeof(names));
	memset(nests_in, 0, sizeof(nests_in));
	memset(needs_irqs_off, 0, sizeof(needs_irqs_off));
	callbacks = NULL;
	nr_callbacks = 0;
	memset(nr_work, 0, sizeof(nr_work));
	machine_interrupt = NULL;
	other_cpu = NULL;
	other_thread.nth_lock = 0;
}
