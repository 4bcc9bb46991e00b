/*
 * What this build of portls has, each 0 or 1. What is 0 is not declared at all, so that a program
 * finds out when it is compiled. An installed copy of this header says what was built.
 */
#ifndef PORTLS_FEATURES_H
#define PORTLS_FEATURES_H

/** Descriptors: connect, listen, accept, ports from descriptors, and waiting for them. */
#ifndef PORTLS_WITH_SOCKETS
#define PORTLS_WITH_SOCKETS 1
#endif

/** Files: everything that takes a path, the system's trusted roots, and FILE streams. */
#ifndef PORTLS_WITH_FILES
#define PORTLS_WITH_FILES 1
#endif

/** Threads: without them one thread at a time may call portls, whatever the calls say. */
#ifndef PORTLS_WITH_THREADS
#define PORTLS_WITH_THREADS 1
#endif

/** Calls that wait, with their deadlines and breaks; only without a system they may be left out.
   Then all is done by the calls that return at once, those whose names end in _avail, and a close
   sends what the port below takes at once. */
#ifndef PORTLS_WITH_WAITING
#define PORTLS_WITH_WAITING 1
#endif

/** The procedure on_error, which is told of errors beside the call that returns them; only without
   a system it may be left out. */
#ifndef PORTLS_WITH_ON_ERROR
#define PORTLS_WITH_ON_ERROR 1
#endif

/** Errors with a text. Without it `message` is always empty; all else of an error is filled. */
#ifndef PORTLS_WITH_MESSAGES
#define PORTLS_WITH_MESSAGES 1
#endif

/** PEM. Without it certificates from memory are DER, one behind the other, and so are keys. */
#ifndef PORTLS_WITH_PEM
#define PORTLS_WITH_PEM 1
#endif

/** An operating system beneath. Without one, time is the program's to tell: portls_set_clock. */
#define PORTLS_WITH_SYSTEM (PORTLS_WITH_SOCKETS || PORTLS_WITH_FILES || PORTLS_WITH_THREADS)

#endif
