# tclsh check_config.tcl HLS_FOLDER
#
# Checks hls_config.cfg, which v++ --mode hls reads: sections, keys (UG1399, "HLS Config File Commands") and that every file is
# there. Exit status 1 with one line when something would fail.

proc refuse {message} {
  puts stderr "hls_config.cfg: $message"
  exit 1
}

cd [lindex $argv 0]
set keys {part flow_target clock syn.file syn.file_cflags syn.top tb.file tb.file_cflags csim.argv cosim.argv package.output.format}
set section ""
set found {}
set file [open hls_config.cfg]
while {[gets $file line] >= 0} {
  set line [string trim $line]
  if {$line eq "" || [string match "#*" $line]} continue
  if {[regexp {^\[(.*)\]$} $line all section]} {
    if {$section ne "hls"} { refuse "unknown section $section" }
    continue
  }
  if {![regexp {^([a-z_.]+)=(.+)$} $line all key value]} { refuse "cannot read '$line'" }
  if {$key ni $keys} { refuse "unknown key $key" }
  if {($key eq "part") != ($section eq "")} { refuse "$key in the wrong section" }
  lappend found $key
  switch -glob $key {
    *.file { if {![file isfile $value]} { refuse "$key: no file $value" } }
    *.file_cflags {
      if {![file isfile [lindex [split $value ,] 0]]} { refuse "$key: no file [lindex [split $value ,] 0]" }
      if {[string match *shim* $value]} { refuse "the host's stand-ins are on the include path" }
    }
    *.argv {
      # The testbench runs in a folder of the tool's (UG1399, "Output of C Simulation": csim/build).
      if {[file pathtype $value] ne "absolute"} { refuse "$key: $value is no absolute path" }
      if {![file isfile [file join $value manifest.json]]} { refuse "$key: $value is not an artefact" }
    }
    package.output.format { if {$value ni {ip_catalog xo syn_dcp sysgen rtl}} { refuse "$key: unknown format $value" } }
    clock { if {![regexp {^[0-9.]+ns$} $value]} { refuse "clock: $value" } }
  }
}
foreach key {part flow_target clock syn.file syn.top tb.file package.output.format} {
  if {$key ni $found} { refuse "$key is missing" }
}
puts "[llength $found] settings"
