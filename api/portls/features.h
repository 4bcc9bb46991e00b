/* What this build of portls has, each 0 or 1. The installed header describes the installed build.
 */
#ifndef PORTLS_FEATURES_H
#define PORTLS_FEATURES_H

/**
 * 1: a hosted build, with sockets, files and threads. 0: a bare build (PORTLS_OS=none), for a
 * machine without an operating system: contexts from memory, ports from callbacks and pipes, and
 * time from portls_set_clock.
 */
#ifndef PORTLS_HOSTED
#define PORTLS_HOSTED 1
#endif

/** 1: errors have a message. 0, in bare builds only: `message` of portls_error is always empty. */
#ifndef PORTLS_WITH_MESSAGES
#define PORTLS_WITH_MESSAGES 1
#endif

#endif
