/* What runs before and after `main` on a Cortex-M4 in QEMU: its board `mps2-an386`, with semihosting for the exit. */

#include <stdint.h>

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;

int main(void);
void start(void);
void say(const char *text);
static void stop(int status);
static void fault(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[15])(void);
} vectors = {
    &stack_top,
    {start, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
};

static void semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

/* Writes a text to QEMU's console. */
void say(const char *text)
{
    semihosting(0x04, text);
}

/* Ends QEMU with an exit status. */
static void stop(int status)
{
    const uint32_t reason[2] = {0x20026, (uint32_t)status};
    semihosting(0x20, reason);
    for (;;) {
    }
}

static void fault(void)
{
    say("fault\n");
    stop(99);
}

void start(void)
{
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* switch on the floating-point unit */
    __asm__ volatile("dsb\n isb");
    for (uint32_t *to = &data_start, *from = &data_load; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    stop(main());
}
