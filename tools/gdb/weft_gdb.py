# SPDX-License-Identifier: Apache-2.0
"""weft's fibers in gdb: of a live process, or of a core file. Load it with `source weft_gdb.py`.

    info fibers              every fiber: number, name, state, context, and where its own code stands
    fiber N bt [OPTION...]   the backtrace of fiber N
    fiber N COMMAND          any other command, with the innermost frame of fiber N's own code selected
    fiber apply all COMMAND  the same for every fiber
    fiber core FILE          generate-core-file, with the fibers' stacks in it

Numbers are those of weft's own reports. Where things stand in memory comes from a table in the program, the
symbol weft_debugger_layout (src/execution_context/diagnostics/debugger_layout.cpp), so neither types nor a
running process are needed. A suspended fiber has its registers on its own stack (src/fiber/context): an
unwinder that answers with them makes the fiber's frames appear behind frame 0 of the selected thread.
"""

import contextlib
import os
import re
import struct

import gdb
import gdb.unwinder

VERSION = 1
WAITING = 0xff00  # from there on, in the low 16 bits of a wait word (src/fiber/wait_word.hpp)
FRAMES_MAX = 64  # how far `info fibers` looks for a frame of the user's

# src/fiber/context/x86_64.S: what a suspended fiber's stack pointer points at, and the size of all of it.
SAVED_REGISTERS = {"r15": 0, "r14": 8, "r13": 16, "r12": 24, "rbx": 32, "rbp": 40, "rip": 48}
SAVED_SIZE = 192
NOT_STARTED = "weft_context_start"

LIBRARY_FUNCTION = re.compile(r"(?:[\w:<>*&, ]+ )?(?:weft::|weft_|std::)")
OF_USER_TYPES = re.compile(r"<(?!weft::|std::)|<.*\(anonymous namespace|<$")
PUBLIC_FUNCTION = re.compile(r"weft::(?!detail::|\(anonymous)[^(]*")
CORE_CHUNK = 1 << 20


# --- Memory ---------------------------------------------------------------------------------------------

def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def read_number(address, size=8):
    return int.from_bytes(read(address, size), "little")


def read_text(address, size_max=4096):
    """The C string at an address; page by page, as the next page may not be there."""
    text = b""
    while b"\0" not in text and len(text) < size_max:
        at = address + len(text)
        text += read(at, 64 - at % 64)
    return text.split(b"\0")[0].decode(errors="replace")


def symbol_at(address):
    """How gdb names the symbol that an address is in, "" if there is none."""
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return "" if text.startswith("No symbol") else text.strip()


def require_memory():
    if gdb.selected_thread() is None:
        raise gdb.GdbError("there is neither a process nor a core file")


class Layout:
    """The table of the program."""

    def __init__(self):
        try:
            address = int(gdb.parse_and_eval("(unsigned long)&weft_debugger_layout"))
        except gdb.error as error:
            raise gdb.GdbError("there is no weft in this program, or it is stripped: "
                               "no symbol weft_debugger_layout") from error
        require_memory()  # in the file alone the table's pointers are not relocated yet
        version, self.stack_pool = read_number(address), read_number(address + 8)
        if version != VERSION:
            raise gdb.GdbError(f"the program's weft has version {version} of the table, "
                               f"this script is for version {VERSION}")
        self.rows = dict(self.read_rows(address + 16))

    @staticmethod
    def read_rows(address):
        while name := read_number(address):
            yield read_text(name), read_number(address + 8)
            address += 16

    def __getitem__(self, name):
        return self.rows[name]


# --- Fibers ---------------------------------------------------------------------------------------------

class Fiber:
    """One fiber, as it stands in memory now."""

    def __init__(self, layout, slot, stack):
        self.layout = layout
        self.address = slot - layout["fiber.size"]
        self.stack = stack
        self.number = self.field("id")
        self.name = read(self.address + layout["fiber.name"], self.field("name_size", 1)).decode(
            errors="replace")
        self.thread = None

    def field(self, name, size=8):
        return read_number(self.address + self.layout["fiber." + name], size)

    @property
    def parked(self):
        """Its registers are in memory, and no thread is on its stack."""
        return self.thread is None and self.field("saved", 4) == 1

    @property
    def state(self):
        if self.thread is not None:
            return f"running on thread {self.thread.num}"
        if self.field("done", 1):
            return "ended"
        if not self.parked:
            return "switching"
        return "suspended" if self.field("word") & 0xffff >= WAITING else "runnable"

    @property
    def started(self):
        return not symbol_at(self.saved_registers()["rip"]).startswith(NOT_STARTED)

    @property
    def spawned_at(self):
        file, line = self.field("spawned_at_file"), self.field("spawned_at_line", 4)
        return f"spawned at {os.path.basename(read_text(file))}:{line}"

    @property
    def context(self):
        """The name of its context, "" if that may be gone or is of another kind."""
        home = self.field("home")
        if self.field("done", 1) or not home or "weft::detail::Context" not in symbol_at(read_number(home)):
            return ""
        text = home + self.layout["context.name"]  # a std::string: pointer, size
        return read(read_number(text), read_number(text + 8)).decode(errors="replace")

    def saved_registers(self):
        frame = self.field("stack_pointer")
        registers = {name: read_number(frame + offset) for name, offset in SAVED_REGISTERS.items()}
        registers["rsp"] = frame + SAVED_SIZE
        return registers

    def __str__(self):
        return f"Fiber {self.number} ({self.name or self.spawned_at}), {self.state}"


def slots_of_slab(layout, slab):
    """(slot, its stack's range) for each slot of a slab that was ever used."""
    slots, stride = read_number(slab + layout["slab.slots"]), read_number(slab + layout["slab.stride"])
    for index in range(read_number(slab + layout["slab.used"], 4)):
        low = slots + index * stride
        colour = index % layout["slab.colours"] * layout["slab.colour_size"]
        yield low + stride - colour - layout["slot.size"], range(low, low + stride)


def all_slots(layout):
    slab = read_number(layout.stack_pool + layout["pool.slabs"])
    while slab:
        yield from slots_of_slab(layout, slab)
        slab = read_number(slab + layout["slab.next"])


def in_use(layout, slot):
    try:
        return read_number(slot + layout["slot.references"], 4) != 0
    except gdb.MemoryError:  # not in the core file
        return False


def all_fibers():
    """Every fiber that is not free, by number, those that run with their thread."""
    layout = Layout()
    fibers = [Fiber(layout, slot, stack) for slot, stack in all_slots(layout) if in_use(layout, slot)]
    stack_pointers = read_stack_pointers()
    for fiber in fibers:
        fiber.thread = next((thread for at, thread in stack_pointers if at in fiber.stack), None)
    return sorted(fibers, key=lambda fiber: fiber.number)


def find_fiber(number):
    for fiber in all_fibers():
        if fiber.number == number:
            return fiber
    raise gdb.GdbError(f"there is no fiber {number}; `info fibers` lists them")


# --- Threads and frames ---------------------------------------------------------------------------------

@contextlib.contextmanager
def selection_kept():
    """Restores the selected thread and frame."""
    thread, level = gdb.selected_thread(), gdb.selected_frame().level()
    try:
        yield
    finally:
        thread.switch()
        gdb.execute(f"frame {level}", to_string=True)


def read_stack_pointers():
    """(stack pointer, thread) for each thread."""
    require_memory()
    with selection_kept():
        pointers = []
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            pointers.append((int(gdb.newest_frame().read_register("rsp")), thread))
        return pointers


class FrameId:
    """How gdb tells frames apart."""

    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class ParkedFiberUnwinder(gdb.unwinder.Unwinder):
    """While armed: the caller of the selected thread's frame 0 is where a suspended fiber will continue."""

    def __init__(self):
        super().__init__("weft-parked-fiber")
        self.enabled = False

    def arm(self, registers):
        frame = gdb.newest_frame()
        self.at = int(frame.read_register("rsp")), frame.pc()
        self.registers = registers
        self.enabled = True
        gdb.invalidate_cached_frames()

    def disarm(self):
        self.enabled = False
        gdb.invalidate_cached_frames()

    def __call__(self, pending):
        if (int(pending.read_register("rsp")), int(pending.read_register("rip"))) != self.at:
            return None
        # As if frame 0 stood below the fiber's frames: gdb takes stacks that grow upwards for corrupt ones.
        unwind = pending.create_unwind_info(FrameId(gdb.Value(self.registers["rsp"] - SAVED_SIZE),
                                                    gdb.Value(self.at[1])))
        for name, value in self.registers.items():
            unwind.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return unwind


UNWINDER = ParkedFiberUnwinder()


def outermost_inlined(frame):
    """The function that `frame` is really a call of: those inlined into it are frames of their own in gdb."""
    while frame.type() == gdb.INLINE_FRAME:
        frame = frame.older()
    return frame


@contextlib.contextmanager
def innermost_frame(fiber):
    """The innermost frame of a fiber, then the rest; null for one that never ran, or is just switched."""
    with selection_kept():
        if fiber.thread is not None:
            fiber.thread.switch()
            yield gdb.newest_frame()
        elif not fiber.parked or not fiber.started:
            yield None
        else:
            UNWINDER.arm(fiber.saved_registers())
            try:
                yield outermost_inlined(gdb.newest_frame()).older()
            finally:
                UNWINDER.disarm()


# --- Where a fiber stands -------------------------------------------------------------------------------

def frames_from(frame):
    for _ in range(FRAMES_MAX):
        if frame is None:
            return
        yield frame
        frame = frame.older()


def function_of(frame):
    return frame.name() or symbol_at(frame.pc()).split(" + ")[0]


def in_library(frame):
    """Whether a frame is weft's, or the standard library's. With little debug information its name alone does
    not say so. The symbol that it is in does, unless user code was inlined into a template of weft's."""
    if LIBRARY_FUNCTION.match(function_of(frame)):
        return True
    around = symbol_at(frame.pc())
    if frame.type() == gdb.INLINE_FRAME and OF_USER_TYPES.search(around.split("(")[0]):
        return False
    return bool(LIBRARY_FUNCTION.match(around))


def place_of(frame):
    found = frame.find_sal()
    source = f" at {os.path.basename(found.symtab.filename)}:{found.line}" if found.symtab else ""
    function = function_of(frame)
    return f"{function} (){source}" if "(" not in function else function + source


def source_of(frame):
    table = frame.find_sal().symtab
    return os.path.normpath(table.fullname()) if table else ""


def library_sources(innermost):
    """The directory of weft's sources as the debug information has it: a parked fiber is in the switch."""
    match = re.fullmatch(r"(.*/)fiber/(?:flow\.cpp|context/\w+\.hpp)", source_of(innermost))
    return match.group(1) if match else None


def inlined_from(frame, directory):
    """With LTO the compiler may inline a function of weft's into the user's, and with clang and little debug
    information nothing but its file then says whose it is."""
    return directory and frame.type() == gdb.INLINE_FRAME and source_of(frame).startswith(directory)


def own_frame(innermost):
    """The innermost frame of the user's own code, and what of weft it called; else the innermost of all."""
    called, directory = "", library_sources(innermost)
    for frame in frames_from(innermost):
        if not in_library(frame) and not inlined_from(frame, directory):
            return frame, called
        public = PUBLIC_FUNCTION.match(function_of(frame))
        called = re.sub(r"<.*>$", "", public.group().strip()) if public else called
    return innermost, ""


def where(fiber):
    """The innermost frame of the user's own code, and what of weft it called."""
    with innermost_frame(fiber) as innermost:
        if innermost is None:
            return f"not started, {fiber.spawned_at}" if fiber.parked else "?"
        frame, called = own_frame(innermost)
        return place_of(frame) + (f", in {called}" if called else "")


def row_of(fiber):
    place = fiber.spawned_at if fiber.state == "ended" else where(fiber)
    return [str(fiber.number), fiber.name or "-", fiber.state, fiber.context or "-", place]


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


# --- Core files -----------------------------------------------------------------------------------------

def segments(core):
    """(address, offset in the file, size) of each piece of memory in a core file: ELF's PT_LOAD."""
    core.seek(0)
    header = core.read(64)
    at, size, count = struct.unpack_from("<Q", header, 32)[0], *struct.unpack_from("<HH", header, 54)
    for index in range(count):
        core.seek(at + index * size)
        kind, _, offset, address, _, bytes_in_file = struct.unpack_from("<IIQQQQ", core.read(size))
        if kind == 1:
            yield address, offset, bytes_in_file


def readable(address, size):
    """(address, bytes) of what can be read: all at once, or page by page around what cannot."""
    try:
        yield address, read(address, size)
    except gdb.MemoryError:
        for page in range(address, address + size, 4096) if size > 4096 else ():
            yield from readable(page, min(4096, address + size - page))


def fill_stacks(core):
    """gdb gives up a mapping at its first page that cannot be read, and so at a fiber's guard page (which is
    no mapping of its own on Linux 6.13 and later): writes what is missing of the mappings with stacks."""
    stacks = {stack.start for _, stack in all_slots(Layout())}
    for start, offset, size in list(segments(core)):
        if not any(start <= low < start + size for low in stacks):
            continue
        for chunk in range(start, start + size, CORE_CHUNK):
            for address, data in readable(chunk, min(CORE_CHUNK, start + size - chunk)):
                if data.strip(b"\0"):
                    core.seek(offset + address - start)
                    core.write(data)


def write_core(path):
    gdb.execute(f"generate-core-file {path}", to_string=True)
    with open(path, "r+b") as core:
        fill_stacks(core)
    print(f"Saved the core file, fibers included, as {path}")


# --- Commands -------------------------------------------------------------------------------------------

BACKTRACE = re.compile(r"(?:bt|backtrace|where)\b")


def run_in_fiber(fiber, command):
    with innermost_frame(fiber) as innermost:
        if innermost is None:
            print(f"  {where(fiber)}")
            return
        if not BACKTRACE.match(command):
            own_frame(innermost)[0].select()
            gdb.execute(command)
            return
        innermost.select()
        before = innermost.level()
        shown = gdb.execute(with_more_frames(before, command), to_string=True)
        print(without_first_frames(before, shown), end="")


def with_more_frames(count, backtrace_command):
    """`bt 3` means three frames of the fiber's, behind those of the thread."""
    return re.sub(r"(?<= )\d+$", lambda match: str(int(match.group()) + count), backtrace_command)


def without_first_frames(count, backtrace):
    """The thread's own frames taken off, and the others numbered from 0."""
    frames = re.split(rf"(?m)^(?=#{count}\s)", backtrace, maxsplit=1)[-1]
    return re.sub(r"(?m)^#(\d+) ?(?= )", lambda match: f"#{int(match.group(1)) - count}".ljust(3), frames)


class InfoFibers(gdb.Command):
    """Every fiber: number, name, state, context, and where its own code stands.

    Usage: info fibers"""

    def __init__(self):
        super().__init__("info fibers", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        fibers = all_fibers()
        if not fibers:
            print("No fibers.")
            return
        print_table([["Fiber", "Name", "State", "Context", "Where"], *map(row_of, fibers)])


class FiberCommand(gdb.Command):
    """A command in a fiber, or in all of them.

    Usage: fiber N bt [OPTION...]   the backtrace of fiber N
           fiber N COMMAND          with the innermost frame of fiber N's own code selected
           fiber apply all COMMAND  for every fiber that has not ended
           fiber core FILE          generate-core-file, with the fibers' stacks in it"""

    def __init__(self):
        super().__init__("fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        match = re.fullmatch(r"(apply\s+all|core|\d+)\s+(\S.*)", argument.strip())
        if not match:
            raise gdb.GdbError("usage: fiber N COMMAND, fiber apply all COMMAND, or fiber core FILE")
        which, command = match.groups()
        if which == "core":
            write_core(command)
            return
        if which.isdigit():
            run_in_fiber(find_fiber(int(which)), command)
            return
        for fiber in all_fibers():
            if fiber.state != "ended":
                print(f"\n{fiber}:")
                run_in_fiber(fiber, command)


gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)
InfoFibers()
FiberCommand()
