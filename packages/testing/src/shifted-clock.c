// Loaded into a process with LD_PRELOAD, to move its wall clock. The environment variable SHIFTED_CLOCK names a file that contains only
// an offset in ns, which is added to the time. libfaketime is not used: inside a signal handler, while the process waits, it returns
// the true time, and then PostgreSQL's time-outs fire too early or never. Nothing here takes a lock or allocates memory, so it is safe
// in a signal handler. It compiles without headers and libraries.

#if defined(__x86_64__)
enum { clock_gettime_call = 228 };
#elif defined(__aarch64__)
enum { clock_gettime_call = 113 };
#endif

enum { realtime = 0, realtime_coarse = 5, read_only = 0, may_read = 1, shared = 1 };

struct time {
  long seconds;
  long rest;
};

extern long syscall(long number, ...);
extern char *getenv(const char *name);
extern int open(const char *path, int flags, ...);
extern int close(int file);
extern void *mmap(void *address, unsigned long length, int protection, int flags, int file, long from);

static const volatile long none = 0;
// Set when the process reads the clock for the first time, which is never in a signal handler. Forked processes inherit it.
static const volatile long *offset;

static const volatile long *map_offset(void) {
  const char *path = getenv("SHIFTED_CLOCK");
  int file = path ? open(path, read_only) : -1;
  if (file < 0) return &none;
  void *mapped = mmap(0, sizeof(long), may_read, shared, file, 0);
  close(file);
  return mapped == (void *)-1 ? &none : mapped;
}

int clock_gettime(int clock, struct time *now) {
  long result = syscall(clock_gettime_call, clock, now);
  if (result != 0 || (clock != realtime && clock != realtime_coarse)) return (int)result;
  if (!offset) offset = map_offset();
  // Read only once, because it may change at any moment.
  long shift = *offset, billion = 1000000000, ns = now->rest + shift % billion;
  now->seconds += shift / billion + (ns >= billion) - (ns < 0);
  now->rest = ns + (ns < 0 ? billion : ns >= billion ? -billion : 0);
  return 0;
}

int gettimeofday(struct time *now, void *zone) {
  (void)zone;
  int result = clock_gettime(realtime, now);
  now->rest /= 1000;
  return result;
}

long time(long *result) {
  struct time now;
  clock_gettime(realtime, &now);
  if (result) *result = now.seconds;
  return now.seconds;
}
