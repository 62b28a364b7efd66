/* Loaded into the daemon ahead of the C library by a test: while the file that HANG names is there, the main thread's
 * waits with a limit do not end. The process lives, its other threads go on, and its loop stands still. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int Wait(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until) {
  const char *file = getenv("HANG");
  while (file != NULL && gettid() == getpid() && access(file, F_OK) == 0) usleep(10000);
  return ((Wait *)dlsym(RTLD_NEXT, "pthread_cond_clockwait"))(condition, mutex, clock, until);
}
