/*
 * From power on to main: the vector table, memory made ready, and the constructors. A fault ends
 * the program with exit code 3, so that no test can hang in one; one that needed more stack than
 * there is ends with 4, whatever it returned.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"

/* From board.ld. */
extern uint32_t board_stack_begin[], board_stack_end[];
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

static const uint32_t stack_paint = 0xdeadbea7;

void board_reset(void);

static void paint_stack(void) {
    /* Up to this function's own frame, less what it may still push. */
    uintptr_t limit = (uintptr_t)__builtin_frame_address(0) - 64;
    for (volatile uint32_t *word = board_stack_end; (uintptr_t)word < limit; word++) {
        *word = stack_paint;
    }
}

size_t board_stack_peak(void) {
    const uint32_t *word = board_stack_end;
    while (word < board_stack_begin && *word == stack_paint) {
        word++;
    }
    return (size_t)(board_stack_begin - word) * sizeof *word;
}

/* Whether the stack has never come to its end. */
static bool board_stack_is_whole(void) {
    enum { WORDS = 16 }; /* some of a frame may not be written */
    for (size_t i = 0; i < WORDS; i++) {
        if (board_stack_end[i] != stack_paint) {
            return false;
        }
    }
    return true;
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
    paint_stack();
    memcpy(board_data_begin, board_data_image, (size_t)(board_data_end - board_data_begin));
    memset(board_bss_begin, 0, (size_t)(board_bss_end - board_bss_begin));
    initialise_monitor_handles();
    __libc_init_array();
    int count = take_arguments(arguments, 15);
    int code = main(count, arguments);
    exit(board_stack_is_whole() ? code : 4);
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
