/*
 * portls: TLS in the shape of byte streams. The openssl library of the PLT Scheme 4.1.2 manual, in
 * C: contexts, listeners, connect and accept that return a pair of ports, and TLS over any pair of
 * ports. Includes every public header but portls/stdio.h, in the order in which to read them.
 */
#ifndef PORTLS_PORTLS_H
#define PORTLS_PORTLS_H

#include "portls/features.h"    /* what this build has */
#include "portls/available.h"   /* whether the TLS library is there */
#include "portls/error.h"       /* statuses and errors */
#include "portls/allocator.h"   /* an allocator of your own */
#include "portls/break.h"       /* breaks and deadlines */
#include "portls/context.h"     /* certificates, trust, verification */
#include "portls/negotiation.h" /* application protocols */
#include "portls/port.h"        /* reading, writing, closing; ports of your own */
#include "portls/pipe.h"        /* memory pipes */
#include "portls/sync.h"        /* waiting for the first of several sources */
#include "portls/wrap.h"        /* TLS over any pair of ports */

#if PORTLS_HOSTED
#include "portls/files.h"      /* certificates and keys from files */
#include "portls/choice.h"     /* several certificates, choice by the client's first message */
#include "portls/descriptor.h" /* ports from descriptors */
#include "portls/tcp.h"        /* connect, listen, accept */
#include "portls/sync_set.h"   /* waiting for the first of very many */
#include "portls/interest.h"   /* what a foreign event loop waits for */
#else
#include "portls/clock.h" /* the program's clock */
#endif

#endif
