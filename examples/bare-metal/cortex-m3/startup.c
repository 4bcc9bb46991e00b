/*
 * From power on to main: the vector table, memory made ready, and the constructors. A fault ends
 * the program with exit code 3, so that a test cannot hang in one.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"

/* From board.ld. */
extern uint8_t board_heap_begin[], board_heap_end[];
extern uint8_t board_data_begin[], board_data_end[], board_data_image[];
extern uint8_t board_bss_begin[], board_bss_end[];

/* From the C library: the constructors, and the channel to the host that QEMU answers. */
extern void __libc_init_array(void);
extern void initialise_monitor_handles(void);
extern int main(int argc, char **argv);

/* What the C library looks for around the constructors; there is nothing to do. */
void _init(void);
void _fini(void);
void _init(void) {
}
void _fini(void) {
}

void board_reset(void);
void *_sbrk(ptrdiff_t more);

/* What the C library's malloc takes its memory from. */
void *_sbrk(ptrdiff_t more) {
    static uint8_t *end = board_heap_begin;
    if (more > board_heap_end - end) {
        errno = ENOMEM;
        return (void *)-1;
    }
    void *begin = end;
    end += more;
    return begin;
}

/* What the host calls the program with, cut at its blanks (semihosting's SYS_GET_CMDLINE). */
static int take_arguments(char **arguments, int room) {
    static char line[512];
    struct {
        char *text;
        size_t size;
    } block = {line, sizeof line};
    register int operation __asm__("r0") = 0x15;
    register void *parameter __asm__("r1") = &block;
    __asm__ volatile("bkpt 0xab" : "+r"(operation) : "r"(parameter) : "memory");
    int count = 0;
    if (operation == 0) {
        char *rest = line;
        for (char *word; count < room && (word = strtok_r(rest, " ", &rest)) != NULL;) {
            arguments[count++] = word;
        }
    }
    return count;
}

void board_reset(void) {
    static char *arguments[16];
    memcpy(board_data_begin, board_data_image, (size_t)(board_data_end - board_data_begin));
    memset(board_bss_begin, 0, (size_t)(board_bss_end - board_bss_begin));
    initialise_monitor_handles();
    __libc_init_array();
    int count = take_arguments(arguments, 15);
    exit(main(count, arguments));
}

static void on_fault(void) {
    _exit(3);
}

/* The first stack pointer, reset, and the exceptions of a Cortex-M3. */
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)board_stack_begin, (uintptr_t)board_reset, (uintptr_t)on_fault, (uintptr_t)on_fault,
    (uintptr_t)on_fault,          (uintptr_t)on_fault,    (uintptr_t)on_fault, (uintptr_t)on_fault,
    (uintptr_t)on_fault,          (uintptr_t)on_fault,    (uintptr_t)on_fault, (uintptr_t)on_fault,
    (uintptr_t)on_fault,          (uintptr_t)on_fault,    (uintptr_t)on_fault, (uintptr_t)on_fault,
};
