#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
"""Mutants: each is one small mistake in one file, and the test of exactness must find it.

    mutants.py LIBEXACT LIBDOORWARD [NAME...]      the libraries as Meson built them

Only the file with the mistake is compiled, with the flags of the build, and linked before the
library, so that its symbols win. Prints TAP. A text that is not in its file exactly once is a
failure: the table below has to follow the source.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# As many machines as the suite tries: a mutant that lives through them would live in the suite.
COUNT = "40000"

PEER = "src/isolate/edge_peer.c"
DMA = "src/isolate/edge_dma.c"
MSI = "src/isolate/edge_msi.c"
SPACE = "src/isolate/edge_space.c"
DEVID = "src/isolate/edge_devid.c"
# Name, file, what stands there, what the mutant says instead.
MUTANTS = (
    ("acs-check-dropped", PEER,
     "if (lacks(f, WARD_ACS_RR, when_lacking, ret_certainty))", "if (false)"),
    ("acs-ignored", PEER,
     "	case WARD_YES:\n		return false;", "	case WARD_YES:\n		break;"),
    ("egress-control-ignored", PEER,
     "return f->acs.quirk != WARD_YES && ward_acs_effective(f) & WARD_ACS_EC;", "return false;"),
    ("egress-vector-ignored", PEER,
     "(chosen && ward_acs_egress_blocks(f, egress_number(machine, f, peer)))", "false"),
    ("peer-is-itself", PEER, "if (i == function ||", "if ("),
    ("ari-ignored", PEER,
     "if (f->parent == WARD_NONE || !machine->functions[f->parent].ari_forwarding) {",
     "if (true) {"),
    ("shared-bus-dropped", PEER,
     "if (f->parent != WARD_NONE && is_conventional(", "if (false && is_conventional("),
    ("slot-dropped", PEER, "if (function != first || first == last)", "if (true)"),
    ("pf-control-dropped", PEER,
     "	ward_graph_add(g, node(g, WARD_NODE_FUNCTION, pf), node(g, WARD_NODE_FUNCTION, vf),\n"
     "		       WARD_WHY_PF, pf, WARD_CERTAIN);\n", ""),
    ("forwarding-not-offered", PEER,
     "return port->acs.quirk != WARD_YES && !(ward_acs_effective(port) & WARD_ACS_UF);",
     "return false;"),
    ("virtual-bus-dropped", PEER, "machine->functions[b->bridge].bridge.bus != bus)", "false)"),
    ("enhanced-acs-ignored", PEER,
     "if (port->acs.present != WARD_YES || !(port->acs.capability & ACS_ENHANCED))",
     "if (true)"),
    ("direct-translated-ignored", PEER,
     "if (!(ward_acs_effective(f) & WARD_ACS_DT))", "if (true)"),
    ("alias-ignored", DMA,
     "if (alias.cause == WARD_ALIAS_OWN)", "if (true)"),
    ("folded-streams-ignored", DMA, "		if (a->id != b->id) {", "		if (true) {"),
    ("stream-of-alias-ignored", DMA,
     "if (!err && pci && machine->id_maps_count)", "if (false)"),
    ("untranslated-ignored", DMA, "	case WARD_NO:\n", "	case WARD_NO:\n		break;\n"),
    ("ats-ignored", DMA, "		if (f->ats_enabled)", "		if (false)"),
    ("translation-blocking-ignored", DMA,
     "ward_acs_effective(f) & WARD_ACS_TB)", "false)"),
    ("backdoor-dropped", DMA, "	if (to != function)", "	if (false)"),
    ("page-granule-ignored", MSI, "uint64_t page = machine->page_size - 1;",
     "uint64_t page = 0;"),
    ("pool-ignored", MSI, "	if (a->kind == b->kind && a->pool == b->pool)", "	if (false)"),
    ("shared-device-id-ignored", DEVID, "if (key->pool == WARD_NONE)", "if (true)"),
    ("device-id-of-the-wrong-map", DEVID, "if (row->kind != WARD_ID_MAP_MSI ||",
     "if (row->kind != WARD_ID_MAP_IOMMU ||"),
    ("device-id-of-the-function-behind-a-bridge", DEVID, "	if (bridged) {", "	if (false) {"),
    ("foreign-its-ignored", DEVID, "	list_strangers(&l);\n", ""),
    ("foreign-its-mapped-ignored", DEVID,
     "		if (g->space_of[i] == i)\n			find_pages(l, i);",
     "		;"),
    ("foreign-its-of-others-ignored", DEVID, "		find_own(l, i);", "		;"),
    ("frame-of-others-ignored", MSI, "		ward_graph_add_for_others(g, function, pool, certainty);\n", ""),
    ("frame-taken-for-isolated", MSI, "		if (c->isolates == WARD_YES)\n",
     "		if (c->isolates == WARD_YES || c->kind == WARD_CONTROLLER_GICV2M)\n"),
    ("distributor-taken-for-a-frame", MSI,
     "(!is_arm_doorbell(c) || c->kind == WARD_CONTROLLER_GICV3_MBI))", "!is_arm_doorbell(c))"),
    ("compatibility-format-forgotten", MSI, "	if (c->isolates == WARD_UNKNOWN)\n",
     "	if (c->kind == WARD_CONTROLLER_X86_REMAPPING)\n		return;\n	if (c->isolates == WARD_UNKNOWN)\n"),
    ("two-frames-in-a-page-are-apart", MSI,
     "		if (ward_controller_rung_in(b, pages))\n			return true;", "		(void)pages;"),
    ("no-check-forgotten", MSI, "	if (ward_checks_no_source(machine)) {", "	if (false) {"),
    ("victims-without-messages", MSI,
     "check.kind != WARD_SOURCE_CHECK_BUS || !ward_graph_may_use_msi(g, state, function))",
     "check.kind != WARD_SOURCE_CHECK_BUS)"),
    ("blocked-rings", MSI, "		if (!ward_graph_is_shut_in(g, function))\n			ward_graph_add(g, from,",
     "			ward_graph_add(g, from,"),
    ("source-check-ignored", MSI,
     "if (check.kind != WARD_SOURCE_CHECK_BUS ||", "if (true ||"),
    ("read-only-ignored", SPACE, "if (mapping.access & WARD_WRITE) {", "if (true) {"),
    ("mapped-registers-ignored", SPACE,
     "if (ward_range_overlaps(root->range, target))", "if (false)"),
    ("mapped-doorbell-ignored", SPACE,
     "!ward_controller_rung_in(c, target))", "true)"),
    ("pasid-ignored", SPACE,
     "if (translated == WARD_NO || info.kind == WARD_SPACE_BLOCKED)",
     "if (translated == WARD_NO ||"
     " g->attachments[attachment].pasid != WARD_PASID_NONE || info.kind == WARD_SPACE_BLOCKED)"),
    ("nested-is-empty", SPACE,
     "while (ret_info->kind == WARD_SPACE_NESTED && ret_info->parent) {", "while (false) {"),
    ("identity-is-empty", SPACE,
     "	case WARD_SPACE_IDENTITY:\n", "	case WARD_SPACE_IDENTITY:\n		break;\n"),
    ("access-of-memory-ignored", "src/isolate/reach.c",
     "memory->access = mapping.access;", "memory->access = WARD_READ | WARD_WRITE;"),
    ("assumed-is-certain", "src/isolate/reach.c",
     "		if (certainty < r->visits[at].certainty)\n			certainty = r->visits[at].certainty;\n",
     ""),
    ("translation-reads-for-writes", "src/dma/space_translate.c",
     "if (access & ~ward_value_access(entry.value))", "if (false)"),
    ("translation-off-by-a-page", "src/dma/space_translate.c",
     "(ward_iova_raw(iova) - entry.start)),",
     "(ward_iova_raw(iova) - entry.start + 0x1000)),"),
    ("blocked-is-bypass", "src/dma/space_translate.c",
     "	case WARD_SPACE_BLOCKED:\n		break;",
     "	case WARD_SPACE_BLOCKED:\n"
     "		return translate_identity(space, iova, access, ret_translation, ret_fault);"),
    # The controllers, and what is written of them by the host.
    ("frame-raises-more-than-its-own", "src/emul/gicv2m.c", "		if (!has(frame, interrupt.number))",
     "		if (interrupt.number < 32 || interrupt.number > WARD_GIC_LAST_SPI)"),
    ("its-device-id-cut", "src/emul/its.c", 
     "found = its_find_event(its, device, event);",
     "found = its_find_event(its, device & 0xffff, event);"),
    ("its-shared-lpi-unchecked", "src/emul/its_mapping.c",
     "its->options.exclusive_lpis && !event->claimed", "false"),
    ("its-device-id-ignored", "src/emul/controller_its.c", 
     "(void)ward_its_message(its, NULL, message->devid,",
     "(void)ward_its_message(its, NULL, ward_devid(ward_rid_raw(message->rid)),"),
    ("emul-device-id-of-the-wrong-map", "src/emul/requester.c", 
     "row = find_row(facts, WARD_ID_MAP_MSI, address, controller, &any);",
     "row = find_row(facts, WARD_ID_MAP_IOMMU, address, controller, &any);"),
    ("remapping-source-unchecked", "src/emul/remapping.c", 
     "		reason = check_source(&entry, message->rid);", "		reason = 0;"),
    ("remapping-admits-the-slot", "src/emul/remapping.c",
     "mask = (uint16_t)~ignored[entry->high >> 16 & 3];", "mask = (uint16_t)~ignored[3];"),
    ("model-writes-no-source-check", "backend/model/irq_x86.c",
     "source_check(unit->model->facts, function)", "0"),
    ("remapping-bus-range-too-wide", "src/emul/remapping.c", 
     "return sid >> 8 <= bus && bus <=", "return bus <="),
    ("remapping-compatibility-passed", "src/emul/remapping.c", 
     "if (vtd->gsts & VTD_CFI && !is_extended(vtd))", "if (!is_extended(vtd))"),
    ("software-machine-ignores-windows", "src/emul/memory_map.c",
     "	return !e->absent &&\n"
     "	       (ward_range_has(e->window[0], address) || ward_range_has(e->window[1], address));",
     "	(void)e;\n	(void)address;\n	return false;"),
)


class Failure(Exception):
    pass


def mutate(source, old, new):
    text = (ROOT / source).read_text()
    found = text.count(old)
    if found != 1:
        raise Failure(f"its text is {found} times in {source}")
    return f'#line 1 "{source}"\n' + text.replace(old, new)


def compiler(commands, source):
    """The words that compile a file of the library, without what names input and output."""
    for command in commands:
        path = pathlib.Path(command["directory"], command["file"]).resolve()
        if path == ROOT / source and "doorward-all" in command["output"]:
            words = shlex.split(command["command"])
            return pathlib.Path(command["directory"]), words
    raise Failure(f"no command compiles {source}")


def without(words, options):
    """Drops options, each with its argument."""
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in options:
            skip = True
        else:
            kept.append(word)
    return kept


def run(words, **more):
    return subprocess.run(words, capture_output=True, text=True, **more)


def build(libraries, commands, mutant, folder):
    name, source, old, new = mutant
    directory, words = compiler(commands, source)
    file, made = folder / f"{name}.c", folder / f"{name}.o"
    file.write_text(mutate(source, old, new))
    words = without(words, ("-o", "-c", "-MF", "-MQ", "-MT"))
    words = [word for word in words if word not in ("-MD", "-Werror")]
    words += ["-iquote", str((ROOT / source).parent)]
    done = run([*words, "-w", "-O1", "-c", file, "-o", made], cwd=directory)
    if done.returncode:
        raise Failure("it does not compile: " + done.stderr.strip())
    sanitizers = [word for word in words if word.startswith("-fsanitize")]
    driver = [word for word in words[:words.index(next(w for w in words if w.startswith("-")))]]
    program = folder / name
    done = run([*driver, *sanitizers, "-o", program, made, "-Wl,--whole-archive", libraries[0],
                "-Wl,--no-whole-archive", libraries[1], "-lfdt"])
    if done.returncode:
        raise Failure("it does not link: " + done.stderr.strip())
    return program


def try_mutant(libraries, commands, mutant, folder):
    """None when it was found, else what went wrong; and how many machines it took."""
    try:
        program = build(libraries, commands, mutant, folder)
    except Failure as failure:
        return str(failure), ""
    done = run([program, "--count", COUNT, "--brief"])
    machines = re.search(r"# (\d+) machines", done.stdout)
    what = re.search(r"# seed \d+: (.*)", done.stdout)
    if done.returncode == 0:
        return "it lives", ""
    if done.returncode != 1 or not machines:
        # It ended badly or could not be run, which is not how it was meant to be found.
        return f"the test ended with {done.returncode}: {done.stdout}{done.stderr}", ""
    return None, f"machine {machines.group(1)}: {what.group(1) if what else ''}"


def main():
    libraries = [pathlib.Path(word).resolve() for word in sys.argv[1:3]]
    wanted = sys.argv[3:]
    top = next(folder for folder in libraries[1].parents
               if (folder / "compile_commands.json").exists())
    commands = json.loads((top / "compile_commands.json").read_text())
    mutants = [mutant for mutant in MUTANTS if not wanted or mutant[0] in wanted]
    failed = 0
    with tempfile.TemporaryDirectory() as folder, \
         concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda mutant: try_mutant(libraries, commands, mutant,
                                                     pathlib.Path(folder)), mutants)
        for number, (mutant, (wrong, how)) in enumerate(zip(mutants, results), 1):
            if wrong:
                failed += 1
                print("\n".join("# " + line for line in wrong.splitlines()))
            if how:
                print(f"# {mutant[0]}: found by {how}")
            print(f"{'not ok' if wrong else 'ok'} {number} - mutant {mutant[0]}", flush=True)
    print(f"1..{len(mutants)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
