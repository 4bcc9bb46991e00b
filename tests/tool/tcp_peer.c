/*
 * A TCP server that does not speak TLS, for one connection:
 * tcp-peer say TEXT | hang-up | reset | refuse
 *
 * Prints the port that the system chose, waits for the client's first bytes, and then sends TEXT
 * and ends its side, ends the connection, or resets it. "refuse" keeps the port without listening,
 * so that no other program gets it, until it is killed.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop_unless(int right, const char *what) {
    if (!right) {
        (void)fprintf(stderr, "tcp-peer: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static int bind_somewhere(bool listens) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    stop_unless(listener >= 0 &&
                    bind(listener, (struct sockaddr *)(void *)&address, sizeof address) == 0 &&
                    (!listens || listen(listener, 1) == 0) &&
                    getsockname(listener, (struct sockaddr *)(void *)&address, &size) == 0,
                "cannot listen");
    (void)printf("%d\n", ntohs(address.sin_port));
    stop_unless(fflush(stdout) == 0, "standard output cannot be written");
    return listener;
}

static void say(int connection, const char *text) {
    char bytes[4096];
    size_t length = strlen(text);
    stop_unless(send(connection, text, length, 0) == (ssize_t)length, "cannot send");
    (void)shutdown(connection, SHUT_WR);
    while (recv(connection, bytes, sizeof bytes, 0) > 0) {
    }
}

int main(int argc, char **argv) {
    char bytes[4096];
    stop_unless(argc >= 2 && (argc == 3) == (strcmp(argv[1], "say") == 0),
                "usage: tcp-peer say TEXT | hang-up | reset | refuse");
    bool refuses = strcmp(argv[1], "refuse") == 0;
    int listener = bind_somewhere(!refuses);
    while (refuses) {
        (void)pause();
    }
    int connection = accept(listener, NULL, NULL);
    stop_unless(connection >= 0 && recv(connection, bytes, sizeof bytes, 0) > 0,
                "no client said anything");
    if (argc == 3) {
        say(connection, argv[2]);
    } else if (strcmp(argv[1], "reset") == 0) {
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    } else {
        stop_unless(strcmp(argv[1], "hang-up") == 0, "say, hang-up, reset or refuse");
    }
    (void)close(connection);
    return EXIT_SUCCESS;
}
