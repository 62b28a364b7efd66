/* Loaded into the program ahead of the C library by a test: the machine's wall clock, threads, processes and memory, as
 * the test wants them. Nothing that is not asked for by an environment variable is changed.
 *
 *   SHIM_CLOCK=FILE     the wall clock is off by as many nanoseconds as the file's 8 bytes say, at every moment
 *   SHIM_THREADS=N      after N threads no further one can be made
 *   SHIM_NO_SPAWN=1     no process can be made
 *   SHIM_MEMORY=N       after N allocations of memory no further one succeeds
 *   SHIM_DISK=FILE      writing and syncing files fails with the error number that the file's first 4 bytes give; 0: not
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static const volatile int64_t *offset_ns;
static const volatile int32_t *disk_error;
static atomic_long threads_left = -1;
static atomic_long allocations_left = -1;
static int no_spawn;

static long number_of(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? -1 : atol(text);
}

/* The file that the variable names, as it is at every moment. */
static const void *mapped(const char *name) {
  const char *path = getenv(name);
  if (path == NULL) return NULL;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) abort();
  close(fd);
  return at;
}

__attribute__((constructor)) static void read_wishes(void) {
  offset_ns = mapped("SHIM_CLOCK");
  disk_error = mapped("SHIM_DISK");
  threads_left = number_of("SHIM_THREADS");
  no_spawn = number_of("SHIM_NO_SPAWN") > 0;
  allocations_left = number_of("SHIM_MEMORY");
}

/* Whether one more is had; -1 stands for as many as one likes. */
static int take(atomic_long *left) {
  long now = atomic_load(left);
  while (now > 0 && !atomic_compare_exchange_weak(left, &now, now - 1)) {
  }
  return now != 0;
}

static int wall_clock(struct timespec *at) {
  const int result = (int)syscall(SYS_clock_gettime, CLOCK_REALTIME, at);
  if (offset_ns == NULL || result != 0) return result;
  const int64_t ns = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + *offset_ns;
  at->tv_sec = ns / 1000000000;
  at->tv_nsec = ns % 1000000000;
  return 0;
}

int clock_gettime(clockid_t id, struct timespec *at) {
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) return wall_clock(at);
  return (int)syscall(SYS_clock_gettime, id, at);
}

int gettimeofday(struct timeval *at, void *zone) {
  (void)zone;
  struct timespec now;
  if (wall_clock(&now) != 0) return -1;
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  if (wall_clock(&now) != 0) return -1;
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  return take(&threads_left) ? real(thread, attributes, run, argument) : EAGAIN;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
  static int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                     char *const[], char *const[]);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "posix_spawn");
  return no_spawn ? EAGAIN : real(pid, path, actions, attributes, arguments, environment);
}

static void *had(void *(*get)(void *, size_t), void *first, size_t second) {
  if (take(&allocations_left)) return get(first, second);
  errno = ENOMEM;
  return NULL;
}

static void *get_malloc(void *unused, size_t size) {
  (void)unused;
  return __libc_malloc(size);
}

static void *get_calloc(void *count, size_t size) { return __libc_calloc((size_t)count, size); }

void *malloc(size_t size) { return had(get_malloc, NULL, size); }
void *calloc(size_t count, size_t size) { return had(get_calloc, (void *)count, size); }
void *realloc(void *old, size_t size) { return had(__libc_realloc, old, size); }

/* Whether the disk is out of order; errno says why. */
static int disk_fails(void) {
  const int error = disk_error == NULL ? 0 : *disk_error;
  if (error != 0) errno = error;
  return error != 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  return disk_fails() ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

int fsync(int fd) { return disk_fails() ? -1 : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return disk_fails() ? -1 : (int)syscall(SYS_fdatasync, fd); }
