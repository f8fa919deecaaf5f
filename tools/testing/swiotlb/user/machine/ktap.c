// SPDX-License-Identifier: GPL-2.0
/*
 * Runs tests in processes of their own, and prints results as KTAP.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

static void print_as_comments(int fd)
{
	FILE *output = fdopen(fd, "r");
	char line[400];

	while (fgets(line, sizeof(line), output))
		printf("%s%s", *line == '#' ? "" : "# ", line);
	fclose(output);
}

/**
 * ktap_start() - start a test in a process of its own
 * @process:	Receives what ktap_wait() needs.
 * @test:	Called there. Need not return.
 * @arg:	Its argument.
 *
 * A process that prints much waits for ktap_wait().
 */
void ktap_start(struct ktap_process *process, void (*test)(const void *arg), const void *arg)
{
	int output[2];

	fflush(stdout);
	process->pid = pipe(output) ? -1 : fork();
	if (process->pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!process->pid) {
		dup2(output[1], 1);
		dup2(output[1], 2);
		close(output[0]);
		close(output[1]);
		test(arg);
		exit(0);
	}
	close(output[1]);
	process->output = output[0];
}

/**
 * ktap_wait() - wait for the end of a test
 * @process:	From ktap_start().
 *
 * Prints what the test has printed, as comments.
 *
 * Return: Exit code of the test, %KTAP_KILLED if a signal or a sanitizer ended it.
 */
int ktap_wait(struct ktap_process *process)
{
	int status;

	print_as_comments(process->output);
	if (waitpid(process->pid, &status, 0) != process->pid || !WIFEXITED(status))
		return KTAP_KILLED;
	return WEXITSTATUS(status);
}

/**
 * ktap_result() - print the line for a test
 * @number:	Number of the test, from 1.
 * @name:	Name.
 * @code:	What ktap_wait() returned.
 *
 * Return: %true if the test passed or was skipped.
 */
bool ktap_result(unsigned int number, const char *name, int code)
{
	bool ok = !code || code == KTAP_SKIPPED;

	printf("%sok %u %s%s\n", ok ? "" : "not ", number, name,
	       code == KTAP_SKIPPED ? " # SKIP" : "");
	return ok;
}
