/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Ownership once more, for spin: what docs/ownership.md says, on machines so small that what reaches
 * what stands below as a few constants. Written from that document alone; tests/own/spin.py compares
 * the set of states with what the library's exploration finds.
 *
 *	spin -a -DMACHINE=1 ownership.pml && gcc -O2 -DNOREDUCE -o pan pan.c && ./pan
 *
 * Every event is one d_step, so that spin's states are those between events. Each is written, once, as
 * a line "S ..." (see note() below); nothing is taken for anything else (no reduction, no symmetry).
 */

/* Machines. Hot-pluggable ones and VFs are not there at first; function 0 has a driver of the host. */
#define FRAME 1	 /* two functions on one GICv2m frame, the second one can be plugged */
#define FRAMES 2 /* the same with two frames, where vectors land in either */
#define CARD 3	 /* a PF and its VF on an ITS */
#define MIXED 4	 /* FRAME, and a third function on an ITS; with fewer kinds of events */
#define SPLIT 5	 /* a PF and two VFs on one GICv2m frame; with fewer still */

#if MACHINE == MIXED || MACHINE == SPLIT
#define N 3
#else
#define N 2
#endif
#define C 2 /* clients */
#define ALL ((1 << N) - 1)

/*
 * What reaches what. No machine has bridges, and every function is a device of its own with a reset of
 * its own: requests go through the IOMMU, nobody writes anybody's registers, error domains and groups
 * are of one function each. So what is left is
 * - messages: who has vectors at a frame, or may have, rings it, and with it everybody who has vectors
 *   there. The ITS tells writers apart, so nobody meets anybody there;
 * - the PF, which has its VFs.
 */
#if MACHINE == FRAMES
#define OWN(f) 3 /* Linux takes vectors from either frame: one pool, in which everybody meets */
#define TELLS_APART 0
#elif MACHINE == MIXED
#define OWN(f) ((f) == 2 -> 2 : 1) /* controller 1 is the ITS */
#define TELLS_APART 2
#elif MACHINE == CARD
#define OWN(f) 1
#define TELLS_APART 1 /* the ITS */
#else
#define OWN(f) 1
#define TELLS_APART 0
#endif
#define MEETS(f, g) (((OWN(f) | vectors[f]) & (OWN(g) | vectors[g]) & ~TELLS_APART) != 0)

#if MACHINE == CARD || MACHINE == SPLIT
#define VFS
#define PF 0
/* The first and the last one: they come and go together. */
#define VF 1
#define LAST_VF (N - 1)
#define IS_VF(f) ((f) >= VF)
#define CONTROLS(f, g) ((f) == PF && IS_VF(g))
#else
#define CONTROLS(f, g) false
#define IS_VF(f) false
#endif

/* Partitions: who shares a doorbell; the ITS ties nobody. A PF and its VFs are not tied by that. */
#define TOGETHER(f, g) ((f) == (g) || MEETS(f, g))

/* Owners, and who tainted. */
#define NOBODY 0
#define HOST 1
#define CLIENT(c) (2 + (c))
#define SEVERAL 4 /* who tainted, only: like a client that nobody is */
#define IS_CLIENT(o) ((o) >= 2)
/* Drivers. */
#define NONE 0
#define HOSTS 1
#define YIELDS 2
/* Containers. */
#define BLOCKED 0
#define CONTAINER 1
/* What opened an exposure. */
#define NEWCOMER 1
#define OTHER 2

bit there[N];
byte owner[N], driver[N], container[N], vectors[N], taint[N];
bit frozen[N], revoking[N], quarantined[N];

/* Open exposures, the oldest one first: who, why, what the event named. One for a client at most. */
byte open_count;
byte open_client[C], open_cause[C], open_named[C];

/* Within one d_step only: no part of the state. */
hidden byte was_owner[N], was_driver[N], was_container[N], was_vectors[N], was_taint[N];
hidden byte was_there[N], was_frozen[N], was_revoking[N], was_quarantined[N];
hidden byte i, f, g, k, kept, domain;
hidden byte bad, refused, found;

c_decl {
#define SEEN_SLOTS (1u << 22)
	/* States that were written: no part of the state, and never undone. */
	static unsigned long long seen[SEEN_SLOTS];
	static unsigned long seen_count;
};

c_code {
	static int seen_before(unsigned long long key)
	{
		unsigned long slot = (unsigned long)(key * 0x9e3779b97f4a7c15ull >> 42);

		while (seen[slot] && seen[slot] != key + 1)
			slot = (slot + 1) % SEEN_SLOTS;
		if (seen[slot])
			return 1;
		if (++seen_count > SEEN_SLOTS / 2) {
			printf("too many states for the table\n");
			exit(1);
		}
		seen[slot] = key + 1;
		return 0;
	}

	/*
	 * "-h01" nobody, the host, clients; drivers "-hy": none, for the host, yields; containers "b0";
	 * vectors as bits; tainted by; f frozen, r revoking, q quarantined. Who is absent: "........".
	 */
	static void note(void)
	{
		unsigned long long key = 0;
		unsigned open = 0;

		for (int f = 0; f < N; f++)
			key = key * 65536 + (!now.there[f] ? 0 :
			      1 + now.owner[f] * 4 + now.driver[f] * 16 * 2 + now.container[f] * 128 +
			      now.vectors[f] * 256 + now.taint[f] * 1024 + now.frozen[f] * 4096 * 2 +
			      now.revoking[f] * 16384 + now.quarantined[f] * 32768);
		for (int e = 0; e < now.open_count; e++)
			open |= 1u << now.open_client[e];
		if (seen_before(key * 4 + open))
			return;
		printf("S");
		for (int f = 0; f < N; f++) {
			if (!now.there[f]) {
				printf(" ........");
				continue;
			}
			printf(" %c%c%c%x%c%c%c%c", "-h01"[now.owner[f]], "-hy"[now.driver[f]],
			       "b0"[now.container[f]], now.vectors[f], "-h01*"[now.taint[f]],
			       "-f"[now.frozen[f]], "-r"[now.revoking[f]], "-q"[now.quarantined[f]]);
		}
		printf(" open");
		for (int c = 0; c < C; c++)
			if (open >> c & 1)
				printf(" %d", c);
		printf("\n");
	}
};

/* --- judging --- */

/* Whose g is, seen from client c: the host's, or another client's, maybe one that is not known. */
#define UNKNOWN(g) (owner[g] == NOBODY && driver[g] == YIELDS && vectors[g] != 0)
#define FOREIGN(g, c) (owner[g] == HOST || (IS_CLIENT(owner[g]) && owner[g] != CLIENT(c)) || UNKNOWN(g))

/* f reaches g or its vectors: by itself, or by the VFs that it has as the PF. */
#ifdef VFS
#define REACHES(f, g) (CONTROLS(f, g) || MEETS(f, g) || ((f) == PF && there[VF] && MEETS(VF, g)))
#else
#define REACHES(f, g) MEETS(f, g)
#endif

/* bad: client c, as it stands, is not in order. */
inline judge_standing(c)
{
	bad = false;
	for (f : 0 .. N - 1) {
		if
		:: there[f] && owner[f] == CLIENT(c) && !frozen[f] ->
			for (g : 0 .. N - 1) {
				if
				:: g != f && there[g] && FOREIGN(g, c) && REACHES(f, g) -> bad = true
				:: else
				fi
			}
#ifdef VFS
			/* What VFIO asks for: a PF with VFs only under a driver that stands aside. */
			if
			:: f == PF && there[VF] && driver[PF] != YIELDS -> bad = true
			:: else
			fi
#endif
		:: else
		fi
	}
}

/* ... and whether others reach what it claims. */
inline judge_claim(c, named)
{
	judge_standing(c);
	for (f : 0 .. N - 1) {
		for (g : 0 .. N - 1) {
			if
			:: (named >> f & 1) && g != f && there[g] && !frozen[g] && REACHES(g, f) &&
			   ((IS_CLIENT(owner[g]) && owner[g] != CLIENT(c)) || UNKNOWN(g)) -> bad = true
			:: else
			fi
		}
	}
}

/* --- before and after an event --- */

#define SETTLED (open_count == 0)

inline keep()
{
	for (f : 0 .. N - 1) {
		was_there[f] = there[f]; was_owner[f] = owner[f]; was_driver[f] = driver[f];
		was_container[f] = container[f]; was_vectors[f] = vectors[f]; was_taint[f] = taint[f];
		was_frozen[f] = frozen[f]; was_revoking[f] = revoking[f];
		was_quarantined[f] = quarantined[f]
	}
	refused = false
}

inline put_back()
{
	for (f : 0 .. N - 1) {
		there[f] = was_there[f]; owner[f] = was_owner[f]; driver[f] = was_driver[f];
		container[f] = was_container[f]; vectors[f] = was_vectors[f]; taint[f] = was_taint[f];
		frozen[f] = was_frozen[f]; revoking[f] = was_revoking[f];
		quarantined[f] = was_quarantined[f]
	}
}

/* Nothing of what an event used is left, and the state is written. */
inline done()
{
	for (f : 0 .. N - 1) {
		was_there[f] = 0; was_owner[f] = 0; was_driver[f] = 0; was_container[f] = 0;
		was_vectors[f] = 0; was_taint[f] = 0; was_frozen[f] = 0; was_revoking[f] = 0;
		was_quarantined[f] = 0
	}
	i = 0; f = 0; g = 0; k = 0; kept = 0; domain = 0; bad = false; refused = false; found = false;
	c_code { note(); }
}

/* A request: every client is in order after it, or it did not happen. */
inline end_request()
{
	for (k : 0 .. C - 1) {
		judge_standing(k);
		refused = refused || bad
	}
	if
	:: refused -> put_back()
	:: else
	fi;
	done()
}

/* A fact: exposures end, and begin; an open one keeps what opened it. */
inline end_fact(cause, named)
{
	kept = 0;
	for (i : 0 .. C - 1) {
		if
		:: i < open_count ->
			judge_standing(open_client[i]);
			if
			:: bad ->
				open_client[kept] = open_client[i];
				open_cause[kept] = open_cause[i];
				open_named[kept] = open_named[i];
				kept++
			:: else
			fi
		:: else
		fi
	}
	open_count = kept;
	/* In the order of the functions that the clients have and that are not frozen. */
	for (k : 0 .. N - 1) {
		if
		:: IS_CLIENT(owner[k]) && !frozen[k] ->
			judge_standing(owner[k] - 2);
			found = false;
			for (i : 0 .. C - 1) {
				if
				:: i < open_count && CLIENT(open_client[i]) == owner[k] -> found = true
				:: else
				fi
			}
			if
			:: bad && !found ->
				open_client[open_count] = owner[k] - 2;
				open_cause[open_count] = cause;
				open_named[open_count] = (cause == NEWCOMER -> named : 0);
				open_count++
			:: else
			fi
		:: else
		fi
	}
	for (i : 0 .. C - 1) {
		if
		:: i >= open_count -> open_client[i] = 0; open_cause[i] = 0; open_named[i] = 0
		:: else
		fi
	}
	done()
}

/* --- what happens to one function --- */

inline to_absent(x)
{
	there[x] = 0; owner[x] = NOBODY; driver[x] = NONE; container[x] = BLOCKED; vectors[x] = 0;
	taint[x] = NOBODY; frozen[x] = 0; revoking[x] = 0; quarantined[x] = 0
}

inline to_bound(x, d)
{
	driver[x] = d;
	owner[x] = (d == HOSTS -> HOST : NOBODY);
	quarantined[x] = 0;
	if
	:: d == HOSTS && taint[x] == HOST -> taint[x] = NOBODY
	:: else
	fi
}

inline to_there(x, d)
{
	there[x] = 1;
	if
	:: d != NONE -> to_bound(x, d)
	:: else
	fi
}

/* What one leaves comes to what another has left. */
inline leaves_in(x, who)
{
	taint[x] = (taint[x] == NOBODY || taint[x] == who -> who : SEVERAL)
}

/* The host lets go. What a client left before it stays until a reset. */
inline to_unbound(x)
{
	if
	:: owner[x] == HOST -> leaves_in(x, HOST)
	:: else
	fi;
	driver[x] = NONE; vectors[x] = 0; owner[x] = NOBODY
}

/* What a client stops reaching, and is nobody's, it may have left something in: VFs of its PF. */
#ifdef VFS
inline leave(x)
{
	for (g : VF .. LAST_VF) {
		if
		:: x == PF && IS_CLIENT(owner[PF]) && !frozen[PF] && there[g] &&
		   owner[g] == NOBODY -> leaves_in(g, owner[PF])
		:: else
		fi
	}
}
#else
inline leave(x)
{
	skip
}
#endif

inline to_released(x)
{
	leave(x);
	taint[x] = owner[x];
	owner[x] = NOBODY; container[x] = BLOCKED; vectors[x] = 0; revoking[x] = 0
}

inline to_quarantined(x)
{
	to_unbound(x);
	container[x] = BLOCKED; quarantined[x] = 1
}

/* Error domains are of one function here, and reset scopes, too, but for a PF's. */
inline to_reset(x)
{
	vectors[x] = 0;
	if
	:: owner[x] == NOBODY -> taint[x] = NOBODY
	:: else
	fi
}

#ifdef VFS
#define HIT(v) (there[v] && owner[v] != NOBODY && owner[v] != owner[PF])
#define HITS_OTHERS(x) ((x) == PF && (HIT(VF) || HIT(LAST_VF)))
inline reset_vfs(x)
{
	for (g : VF .. LAST_VF) {
		if
		:: x == PF && there[g] -> to_reset(g)
		:: else
		fi
	}
}
#else
#define HITS_OTHERS(x) false
inline reset_vfs(x)
{
	skip
}
#endif

/*
 * --- events: what makes no sense has no guard that lets it happen; what is refused changes nothing ---
 *
 * A request that only takes away is told as the fact that it becomes: it is allowed in every state, and
 * nobody reaches more after it. What is a request and a fact stands here once, then.
 */

#define FREE(x) (there[x] && !IS_CLIENT(owner[x]))
/* A client may have left something in the PF that is about its VFs. */
#ifdef VFS
#define LEFT_ABOVE(x, taker) ((x) != PF && IS_CLIENT(taint[PF]) && taint[PF] != (taker))
#else
#define LEFT_ABOVE(x, taker) false
#endif

#define EVENT_BIND(x, d)                                                                       \
	:: d_step { SETTLED && FREE(x) && driver[x] == NONE && !frozen[x] &&                   \
		    !IS_CLIENT(taint[x]) && !LEFT_ABOVE(x, HOST) ->                                \
		    keep(); to_bound(x, d); end_request() }
#define FACT_BIND(x)                                                                           \
	:: d_step { FREE(x) && driver[x] == NONE -> to_bound(x, HOSTS); end_fact(NEWCOMER, 1 << x) }
#define EVENT_UNBIND(x)                                                                        \
	:: d_step { FREE(x) && driver[x] != NONE -> to_unbound(x); end_fact(OTHER, 0) }

/* All of the functions named, or none. */
inline claim(c, named)
{
	keep();
	for (f : 0 .. N - 1) {
		if
		:: named >> f & 1 ->
			refused = refused || owner[f] != NOBODY || frozen[f] ||
				  (taint[f] != NOBODY && taint[f] != CLIENT(c)) ||
				  LEFT_ABOVE(f, CLIENT(c));
			for (g : 0 .. N - 1) {
				refused = refused || (there[g] && revoking[g] && TOGETHER(f, g)) ||
					  (!(named >> g & 1) && there[g] && owner[g] == NOBODY &&
					   CONTROLS(f, g) && IS_CLIENT(taint[g]) && taint[g] != CLIENT(c))
			}
		:: else
		fi
	}
	if
	:: !refused ->
		for (f : 0 .. N - 1) {
			if
			:: named >> f & 1 ->
				owner[f] = CLIENT(c); container[f] = BLOCKED; taint[f] = NOBODY;
				quarantined[f] = 0
			:: else
			fi
		}
		judge_claim(c, named);
		refused = bad
	:: else
	fi;
	end_request()
}

#define ARE_THERE(named)                                                                       \
	((!((named) & 1) || there[0]) && (!((named) & 2) || there[1]) &&                       \
	 (!((named) & 4) || there[N - 1]))
#define EVENT_CLAIM(named)                                                                     \
	:: d_step { SETTLED && ARE_THERE(named) -> claim(0, named) }                           \
	:: d_step { SETTLED && ARE_THERE(named) -> claim(1, named) }

#define HAS(x) (there[x] && IS_CLIENT(owner[x]))
/* Groups are of one function each, and there is one container: nobody else is in the way. */
#define EVENT_ATTACH(x)                                                                        \
	:: d_step { SETTLED && HAS(x) && !frozen[x] -> keep(); container[x] = CONTAINER; end_request() }
#define EVENT_DETACH(x)                                                                        \
	:: d_step { HAS(x) && container[x] != BLOCKED -> container[x] = BLOCKED; end_fact(OTHER, 0) }
#define EVENT_RELEASE(x)                                                                       \
	:: d_step { HAS(x) -> to_released(x); end_fact(OTHER, 0) }
/* The policy says that it is not at once. */
#define EVENT_REVOKE(x)                                                                        \
	:: d_step { HAS(x) -> leave(x); frozen[x] = 1; revoking[x] = 1; vectors[x] = 0; end_fact(OTHER, 0) }

inline death(c)
{
	for (f : 0 .. N - 1) {
		if
		:: owner[f] == CLIENT(c) -> to_released(f)
		:: else
		fi
	}
	end_fact(OTHER, 0)
}
#define EVENT_DEATH(c)                                                                         \
	:: d_step { true -> death(c) }

#define EVENT_HOT_ADD(x, d)                                                                    \
	:: d_step { !there[x] && !IS_VF(x) -> to_there(x, d); end_fact(NEWCOMER, 1 << x) }
#define EVENT_HOT_REMOVE(x)                                                                    \
	:: d_step { there[x] -> to_absent(x); end_fact(OTHER, 0) }

#ifdef VFS
inline vfs_there(d)
{
	for (g : VF .. LAST_VF) {
		to_there(g, d)
	}
}

inline vfs_absent()
{
	for (g : VF .. LAST_VF) {
		to_absent(g)
	}
}
#endif
#define EVENT_VFS_ON(d)                                                                        \
	:: d_step { SETTLED && there[PF] && !there[VF] && !IS_CLIENT(owner[PF]) -> keep();     \
		    vfs_there(d); end_request() }                                              \
	:: d_step { there[PF] && !there[VF] -> vfs_there(d); end_fact(NEWCOMER, ALL & ~1) }
#define EVENT_VFS_OFF                                                                          \
	:: d_step { there[VF] -> vfs_absent(); end_fact(OTHER, 0) }

#define EVENT_VECTOR(x, at)                                                                    \
	:: d_step { there[x] && owner[x] != NOBODY ->                                          \
		    vectors[x] = vectors[x] | 1 << at; end_fact(OTHER, 0) }

#define EVENT_FREEZE(x)                                                                        \
	:: d_step { there[x] && !frozen[x] -> leave(x); frozen[x] = 1; end_fact(OTHER, 0) }
#define EVENT_THAW(x)                                                                          \
	:: d_step { SETTLED && there[x] && frozen[x] && !revoking[x] && !HITS_OTHERS(x) ->     \
		    keep(); to_reset(x); reset_vfs(x); frozen[x] = 0; end_request() }
#define EVENT_RESET(x)                                                                         \
	:: d_step { SETTLED && there[x] && !frozen[x] && !HITS_OTHERS(x) -> keep(); to_reset(x);   \
		    reset_vfs(x); end_request() }
#define EVENT_QUARANTINE(x)                                                                    \
	:: d_step { FREE(x) -> to_quarantined(x); end_fact(OTHER, 0) }

/*
 * The next containment, for the oldest exposure: quarantine of who is new, by the default policy; then
 * the client's functions are frozen.
 */
inline contain()
{
	found = false;
	for (f : 0 .. N - 1) {
		if
		:: open_cause[0] == NEWCOMER && (open_named[0] >> f & 1) && FREE(f) && !quarantined[f] ->
			to_quarantined(f);
			found = true
		:: else
		fi
	}
	/* The witness begins at the first one that reaches something. */
	for (f : 0 .. N - 1) {
		if
		:: !found && there[f] && owner[f] == CLIENT(open_client[0]) && !frozen[f] ->
			bad = false;
			for (g : 0 .. N - 1) {
				bad = bad || (g != f && there[g] && FOREIGN(g, open_client[0]) &&
					      REACHES(f, g))
			}
#ifdef VFS
			bad = bad || (f == PF && there[VF] && driver[PF] != YIELDS);
#endif
			if
			:: bad -> leave(f); frozen[f] = 1; found = true
			:: else
			fi
		:: else
		fi
	}
	assert(found);
	end_fact(OTHER, 0)
}

/* What one function can be named in. */
#define ALWAYS(x)                                                                              \
	EVENT_BIND(x, HOSTS)                                                                   \
	EVENT_BIND(x, YIELDS)                                                                  \
	FACT_BIND(x)                                                                           \
	EVENT_UNBIND(x)                                                                        \
	EVENT_CLAIM(1 << x)                                                                    \
	EVENT_RELEASE(x)
#define EVERYWHERE(x)                                                                          \
	ALWAYS(x)                                                                              \
	EVENT_REVOKE(x)                                                                        \
	EVENT_RESET(x)                                                                         \
	EVENT_QUARANTINE(x)
#define HERE(x)                                                                                \
	EVENT_ATTACH(x)                                                                        \
	EVENT_DETACH(x)                                                                        \
	EVENT_VECTOR(x, 0)                                                                     \
	EVENT_FREEZE(x)                                                                        \
	EVENT_THAW(x)
#define PLUGGED(x)                                                                             \
	EVENT_HOT_ADD(x, NONE)                                                                 \
	EVENT_HOT_ADD(x, HOSTS)                                                                \
	EVENT_HOT_REMOVE(x)

init {
	d_step {
		for (f : 0 .. N - 1) {
			there[f] = (f != 1 && !IS_VF(f))
		}
		driver[0] = HOSTS;
		owner[0] = HOST;
		done()
	}
	do
	EVENT_CLAIM(3)
	EVENT_DEATH(0)
	EVENT_DEATH(1)
	:: d_step { !SETTLED -> contain() }
#if MACHINE == SPLIT
	ALWAYS(0)
	ALWAYS(1)
	ALWAYS(2)
	EVENT_CLAIM(5)
	EVENT_CLAIM(6)
#else
	EVERYWHERE(0)
	EVERYWHERE(1)
#endif
#if MACHINE == MIXED
	EVERYWHERE(2)
	EVENT_CLAIM(5)
	EVENT_CLAIM(6)
	PLUGGED(1)
#elif MACHINE != SPLIT
	HERE(0)
	HERE(1)
#endif
#if MACHINE == FRAME
	PLUGGED(1)
#elif MACHINE == FRAMES
	EVENT_VECTOR(0, 1)
	EVENT_VECTOR(1, 1)
	PLUGGED(1)
#elif defined(VFS)
	EVENT_VFS_ON(NONE)
	EVENT_VFS_ON(HOSTS)
	EVENT_VFS_OFF
#endif
	od
}
