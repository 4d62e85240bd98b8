// Preloaded into a process whose wall clock a test moves: adds an offset, in ns, that is the only content of the file
// which SHIFTED_CLOCK names. libfaketime would do, but what it is asked inside a signal's handler while the process waits
// is the true time: PostgreSQL's time-outs then come too early or never. Nothing here takes a lock or memory, so it may be
// called there. Neither headers nor libraries are needed to build it.

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
// Set at the first look at the clock, which no signal's handler is; forked processes inherit it.
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
  // Read once: it may be changed at any moment.
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
