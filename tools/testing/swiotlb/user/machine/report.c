// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the kernel, warnings, failures of tests; and failures that tests inject
 * into the code under test.
 */
#include "machine.h"

#define MAX_MESSAGES	64
#define MAX_TEXT	200

bool machine_verbose;

static char messages[MAX_MESSAGES][MAX_TEXT];
static unsigned int nr_messages;
static char warning[MAX_TEXT];		/* the last one that no test has expected yet */
static unsigned int nr_warnings;
static char context[MAX_TEXT];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void add_message(const char *fmt, va_list args)
{
	char *text = messages[nr_messages++ % MAX_MESSAGES];

	vsnprintf(text, MAX_TEXT, fmt, args);
	text[strcspn(text, "\n")] = 0;
	if (machine_verbose)
		printf("# %s\n", text);
}

void machine_log(char level, const char *fmt, ...)
{
	va_list args;

	pthread_mutex_lock(&mutex);
	va_start(args, fmt);
	add_message(fmt, args);
	va_end(args);
	pthread_mutex_unlock(&mutex);
}

bool machine_warn(bool condition, const char *fmt, ...)
{
	va_list args;

	if (!condition)
		return false;
	pthread_mutex_lock(&mutex);
	va_start(args, fmt);
	vsnprintf(warning, sizeof(warning), fmt, args);
	va_end(args);
	va_start(args, fmt);
	add_message(fmt, args);
	va_end(args);
	nr_warnings++;
	pthread_mutex_unlock(&mutex);
	return true;
}

/* Has the kernel printed this since the messages were last forgotten? */
bool machine_said(const char *text)
{
	unsigned int i;

	for (i = 0; i < min(nr_messages, MAX_MESSAGES); i++)
		if (strstr(messages[i], text))
			return true;
	return false;
}

/* How many messages has the kernel printed since then? */
unsigned int machine_messages(void)
{
	return nr_messages;
}

void machine_forget_messages(void)
{
	nr_messages = 0;
}

/* Take note of the warnings so far, the last of which must contain @text. */
unsigned int machine_expect_warning(const char *text)
{
	unsigned int nr = nr_warnings;

	if (nr && !strstr(warning, text))
		machine_fail("another warning than \"%s\": %s", text, warning);
	nr_warnings = 0;
	return nr;
}

void machine_no_surprises(void)
{
	if (nr_warnings)
		machine_fail("unexpected warning: %s", warning);
}

/* Describe what is being tested. A failure prints the text. */
void machine_context(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(context, sizeof(context), fmt, args);
	va_end(args);
}

void machine_fail(const char *fmt, ...)
{
	char text[MAX_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "# machine: %s%s%s\n", text, *context ? ", at " : "", context);
	abort();
}

/* --- failure injection --- */

static struct {
	unsigned int calls;
	unsigned int nth;
	bool onwards;
	bool all;
} failures[NR_FAILURES];

bool machine_should_fail(enum machine_failure kind)
{
	unsigned int call = __atomic_add_fetch(&failures[kind].calls, 1, __ATOMIC_RELAXED);

	if (failures[kind].onwards && call > failures[kind].nth)
		return true;
	return failures[kind].all || call == failures[kind].nth;
}

/* Let the @nth call from now fail; 0 for none. */
void machine_fail_nth(enum machine_failure kind, unsigned int nth)
{
	failures[kind].calls = 0;
	failures[kind].nth = nth;
	failures[kind].onwards = false;
}

/* Let the @nth call from now fail, and all that follow. */
void machine_fail_from(enum machine_failure kind, unsigned int nth)
{
	machine_fail_nth(kind, nth);
	failures[kind].onwards = true;
}

void machine_fail_all(enum machine_failure kind, bool fail)
{
	failures[kind].all = fail;
}

/* Calls since machine_fail_nth() */
unsigned int machine_failure_calls(enum machine_failure kind)
{
	return failures[kind].calls;
}

/* SplitMix64: small, and good enough to choose among possibilities */
u64 machine_random(u64 *state)
{
	u64 x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

void machine_report_reset(void)
{
	nr_messages = 0;
	nr_warnings = 0;
	*context = 0;
	memset(failures, 0, sizeof(failures));
}
