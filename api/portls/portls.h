/*
 * portls: TLS in the shape of plain streams.
 *
 * The openssl library of the PLT Scheme 4.1.2 manual, in C: contexts, listeners, connect and accept
 * that return a pair of ports, and TLS over any pair of byte-stream ports. Read the headers below
 * in this order; each is short.
 */
#ifndef PORTLS_PORTLS_H
#define PORTLS_PORTLS_H

#include "portls/features.h"  /* what this build has */
#include "portls/available.h" /* is the TLS library there */
#include "portls/error.h"     /* what calls return */
#include "portls/allocator.h" /* memory of your own */
#include "portls/break.h"     /* cancelling and deadlines */
#include "portls/context.h"   /* what connections are made from */
#include "portls/port.h"      /* reading, writing, closing; ports of your own */
#include "portls/sync.h"      /* waiting for the first of many */
#include "portls/wrap.h"      /* TLS over any ports */

#if PORTLS_HOSTED
#include "portls/files.h"      /* certificates and keys from files */
#include "portls/descriptor.h" /* ports from descriptors */
#include "portls/tcp.h"        /* connect, listen, accept */
#include "portls/sync_set.h"   /* waiting for thousands of sources */
#include "portls/interest.h"   /* what an event loop waits for */
#else
#include "portls/clock.h" /* the time, from the program */
#endif

#endif
