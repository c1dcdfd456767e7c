#include "app/ingest/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include <QCoreApplication>
#include <QFile>
#include <QJsonArray>

namespace cloister {
namespace {

// Newer than the headers of Debian 12; asked for only where the kernel says that it knows them.
constexpr quint64 kRefer = 1u << 13, kTruncate = 1u << 14, kIoctl = 1u << 15;
constexpr quint64 kBindTcp = 1u << 0, kConnectTcp = 1u << 1;
constexpr quint64 kScopeAbstractSockets = 1u << 0, kScopeSignals = 1u << 1;

struct RulesetAttributes {
  quint64 files = 0, network = 0, scoped = 0;
};

int landlockVersion() { return int(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION)); }

/// What a folder for reading gives; a single file has no READ_DIR.
constexpr quint64 kReadFile = LANDLOCK_ACCESS_FS_READ_FILE, kReadFolder = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;

quint64 writeRights(int version) {
  return kReadFolder | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
         LANDLOCK_ACCESS_FS_MAKE_DIR | kRefer | (version >= 3 ? kTruncate : 0);
}

void allow(int ruleset, const QString& path, quint64 rights) {
  const int fd = ::open(QFile::encodeName(path).constData(), O_PATH | O_CLOEXEC);
  struct stat s {};
  if (fd >= 0 && ::fstat(fd, &s) == 0) {
    landlock_path_beneath_attr rule{};
    rule.parent_fd = fd;
    rule.allowed_access = S_ISDIR(s.st_mode) ? rights : rights & (kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate);
    ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  }
  if (fd >= 0) ::close(fd);
}

/// Libraries, their tables, and DCMTK's dictionary, which is read when it is first needed.
QStringList systemPaths() {
  const QString here = QCoreApplication::applicationDirPath();
  QStringList paths{"/usr",      "/lib",         "/lib64",         "/etc/ld.so.cache",         "/etc/localtime",
                    "/dev/null", "/dev/urandom", here + "/../lib", here + "/../share/cloister"};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  paths << "/proc/self";  // where a sanitizer looks for the bounds of the stack
#endif
  return paths;
}

/// False with errno.
bool confineFiles(const SandboxPaths& paths, int version) {
  RulesetAttributes attributes;
  attributes.files = (quint64(LANDLOCK_ACCESS_FS_MAKE_SYM) << 1) - 1;  // the thirteen of the first version
  attributes.files |= kRefer | (version >= 3 ? kTruncate : 0) | (version >= 5 ? kIoctl : 0);
  if (version >= 4) attributes.network = kBindTcp | kConnectTcp;
  if (version >= 6) attributes.scoped = kScopeAbstractSockets | kScopeSignals;
  const size_t size = version >= 6 ? sizeof attributes : version >= 4 ? 2 * sizeof(quint64) : sizeof(quint64);
  const int ruleset = int(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0));
  if (ruleset < 0) return false;
  for (const QString& path : systemPaths() + paths.read) allow(ruleset, path, kReadFolder);
  for (const QString& path : paths.write) allow(ruleset, path, writeRights(version));
  const bool done = ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  const int error = errno;
  ::close(ruleset);
  errno = error;
  return done;
}

#if defined(__x86_64__)

/// A program that looks at the number of the call, one comparison after the other.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0);
    give(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
    jump(BPF_JGE, 0x4000'0000, 0, 1);  // the 32-bit way into a 64-bit kernel has other numbers
    give(SECCOMP_RET_KILL_PROCESS);
  }
  void forbid(std::initializer_list<int> calls, quint32 verdict) {
    for (const int call : calls) {
      jump(BPF_JEQ, quint32(call), 0, 1);
      give(verdict);
    }
  }
  /// Threads may be started, processes may not.
  void threadsOnly(quint32 verdict) {
    jump(BPF_JEQ, SYS_clone, 0, 4);
    load(offsetof(seccomp_data, args[0]));
    jump(BPF_JSET, CLONE_THREAD, 1, 0);
    give(verdict);
    give(SECCOMP_RET_ALLOW);
  }
  /// Signals to this process only: abort() and raise() must work.
  void ownSignalsOnly(quint32 verdict) {
    jump(BPF_JEQ, SYS_tgkill, 0, 4);
    load(offsetof(seccomp_data, args[0]));
    jump(BPF_JEQ, quint32(::getpid()), 1, 0);
    give(verdict);
    give(SECCOMP_RET_ALLOW);
  }
  bool install() {
    give(SECCOMP_RET_ALLOW);
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
  }

 private:
  void load(size_t offset) { code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, quint32(offset))); }
  void jump(int how, quint32 value, unsigned char yes, unsigned char no) {
    code_.push_back(BPF_JUMP(static_cast<unsigned short>(BPF_JMP | how | BPF_K), value, yes, no));
  }
  void give(quint32 verdict) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }
  std::vector<sock_filter> code_;
};

bool filterCalls() {
  constexpr quint32 kRefuse = SECCOMP_RET_ERRNO | EPERM, kUnknown = SECCOMP_RET_ERRNO | ENOSYS;
  Filter filter;
  // No decoder has a reason to call these: whoever does has been taken over.
  filter.forbid(
      {SYS_execve,     SYS_execveat, SYS_ptrace,          SYS_process_vm_readv,  SYS_process_vm_writev, SYS_mount,        SYS_umount2,
       SYS_pivot_root, SYS_chroot,   SYS_setns,           SYS_unshare,           SYS_init_module,       SYS_finit_module, SYS_delete_module,
       SYS_kexec_load, SYS_bpf,      SYS_perf_event_open, SYS_userfaultfd,       SYS_add_key,           SYS_request_key,  SYS_keyctl,
       SYS_reboot,     SYS_swapon,   SYS_swapoff,         SYS_open_by_handle_at, SYS_kexec_file_load},
      SECCOMP_RET_KILL_PROCESS);
  // These a library may try in good faith (a look-up of the host's name); it is told no.
  filter.forbid({SYS_socket,
                 SYS_socketpair,
                 SYS_connect,
                 SYS_bind,
                 SYS_listen,
                 SYS_accept,
                 SYS_accept4,
                 SYS_fork,
                 SYS_vfork,
                 SYS_kill,
                 SYS_tkill,
                 SYS_rt_sigqueueinfo,
                 SYS_rt_tgsigqueueinfo,
                 SYS_pidfd_send_signal,
                 SYS_pidfd_getfd,
                 SYS_setuid,
                 SYS_setgid,
                 SYS_io_uring_setup,
                 SYS_chown,
                 SYS_fchown,
                 SYS_lchown,
                 SYS_fchownat,
                 SYS_mknod,
                 SYS_mknodat},
                kRefuse);
  filter.forbid({SYS_clone3}, kUnknown);  // its flags cannot be seen; the C library then uses clone
  filter.threadsOnly(kRefuse);
  filter.ownSignalsOnly(kRefuse);
  return filter.install();
}

#else
bool filterCalls() {
  errno = ENOSYS;
  return false;
}
#endif

QString word(int error) { return QString::fromLatin1(::strerrorname_np(error)); }

QStringList strings(const QJsonValue& list) {
  QStringList all;
  for (const QJsonValue& v : list.toArray()) all << v.toString();
  return all;
}

}  // namespace

QJsonObject SandboxPaths::toJson() const {
  return {{"read", QJsonArray::fromStringList(read)},
          {"write", QJsonArray::fromStringList(write)},
          {"sources", QJsonArray::fromStringList(sources)}};
}

SandboxPaths SandboxPaths::fromJson(const QJsonObject& o) { return {strings(o["read"]), strings(o["write"]), strings(o["sources"])}; }

QJsonObject Sandbox::toJson() const { return {{"landlock", landlock}, {"seccomp", seccomp}, {"reason", reason}}; }

Sandbox possibleSandbox() {
  Sandbox s;
  QStringList missing;
  const int version = landlockVersion();
  if (version >= 2) s.landlock = version;
  else if (version == 1) missing << QStringLiteral("Landlock of this kernel is too old (version 1, 2 is needed)");
  else missing << QStringLiteral("this kernel has no Landlock (%1)").arg(word(errno));
  const quint32 verdict = SECCOMP_RET_KILL_PROCESS;
  s.seccomp = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &verdict) == 0;
  if (!s.seccomp) missing << QStringLiteral("this kernel filters no system calls (%1)").arg(word(errno));
  s.reason = missing.join(QStringLiteral("; "));
  return s;
}

Sandbox enterSandbox(const SandboxPaths& paths) {
  Sandbox s = possibleSandbox();
  if (s.landlock && !confineFiles(paths, s.landlock)) {
    s.landlock = 0;
    s.reason = QStringLiteral("Landlock refused: ") + word(errno);
  }
  if (s.seccomp && !filterCalls()) {
    s.seccomp = false;
    s.reason += (s.reason.isEmpty() ? QString() : QStringLiteral("; ")) + QStringLiteral("seccomp refused: ") + word(errno);
  }
  return s;
}

QJsonObject tryForbidden() {
  QJsonObject ended;
  const auto note = [&](const char* what, long result) {
    ended[QLatin1String(what)] = result < 0 ? word(errno) : QStringLiteral("allowed");
    return result;
  };
  if (const long fd = note("readForeign", ::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); fd >= 0) ::close(int(fd));
  const QByteArray mine = "/tmp/.cloister-self-test-" + QByteArray::number(::getpid());
  if (const long fd = note("writeForeign", ::open(mine.constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)); fd >= 0) {
    ::close(int(fd));
    ::unlink(mine.constData());
  }
  note("listForeign", ::open("/root/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  note("socket", ::syscall(SYS_socket, 2 /* AF_INET */, 1 /* SOCK_STREAM */, 0));
  if (const long child = note("process", ::fork()); child == 0) ::_exit(0);
  note("signal", ::syscall(SYS_kill, ::getppid(), 0));
  return ended;
}

void tryFatal(const QString& what) {
  char name[] = "/bin/true";
  char* const arguments[] = {name, nullptr};
  if (what == u"execve") ::execv(name, arguments);
  if (what == u"ptrace") ::syscall(SYS_ptrace, 0, 0, 0, 0);
  if (what == u"unshare") ::unshare(CLONE_NEWUSER);
}

}  // namespace cloister
