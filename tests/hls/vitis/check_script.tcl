# tclsh check_script.tcl HLS_FOLDER [STEP...]
#
# Runs the folder's run_hls.tcl in an interpreter where Vitis HLS' commands are stand-ins that check their options, their order
# and that every file is there (Vitis HLS user guide UG1399, "Vitis HLS Command Reference"). Prints what would have been done.
# Exit status 1 with one line when something would fail.

proc refuse {message} {
  puts stderr "run_hls.tcl: $message"
  exit 1
}

# Options of each command: name -> whether a value follows.
set commands {
  open_project  {-reset 0 -upgrade 0}
  set_top       {}
  add_files     {-tb 0 -cflags 1 -csimflags 1 -blackbox 1}
  open_solution {-reset 0 -flow_target 1}
  set_part      {}
  create_clock  {-name 1 -period 1}
  csim_design   {-argv 1 -clean 0 -ldflags 1 -mflags 1 -O 0 -setup 0 -profile 0}
  csynth_design {-dump_cfg 0 -dump_post_cfg 0 -synthesis_check 0}
  cosim_design  {-argv 1 -rtl 1 -trace_level 1 -tool 1 -ldflags 1 -mflags 1 -O 0 -setup 0}
  export_design {-format 1 -flow 1 -rtl 1 -output 1 -version 1 -vendor 1}
}
# What must have been said before.
set needs {
  set_top open_project add_files open_project open_solution open_project set_part open_solution create_clock open_solution
  csim_design add_files csynth_design create_clock cosim_design csynth_design export_design csynth_design
}
set done {}

# The words of a call that are no options, options in the array `options`.
proc split_call {command arguments} {
  upvar options options
  set known [dict get $::commands $command]
  set words {}
  for {set i 0} {$i < [llength $arguments]} {incr i} {
    set word [lindex $arguments $i]
    if {![string match -* $word]} { lappend words $word; continue }
    if {![dict exists $known $word]} { refuse "$command: unknown option $word" }
    set options($word) ""
    if {[dict get $known $word]} {
      incr i
      if {$i == [llength $arguments]} { refuse "$command: $word without a value" }
      set options($word) [lindex $arguments $i]
    }
  }
  return $words
}

proc call {command arguments} {
  array set options {}
  set words [split_call $command $arguments]
  foreach {later earlier} $::needs {
    if {$later eq $command && $earlier ni $::done} { refuse "$command before $earlier" }
  }
  set counts {open_project 1 set_top 1 add_files 1 open_solution 1 set_part 1}
  set expected [expr {[dict exists $counts $command] ? [dict get $counts $command] : 0}]
  if {[llength $words] != $expected} { refuse "$command: found [llength $words] words, expected $expected" }
  if {$command eq "add_files" && ![file isfile [lindex $words 0]]} { refuse "add_files: no file [lindex $words 0]" }
  if {[info exists options(-cflags)]} {
    foreach flag $options(-cflags) {
      if {[regexp {^-I(.*)} $flag all folder] && ![file isdirectory $folder]} { refuse "no folder $folder to include from" }
      if {[string match *shim* $flag]} { refuse "the host's stand-ins are on the include path" }
    }
  }
  if {[info exists options(-argv)] && ![file isfile [file join $options(-argv) manifest.json]]} {
    refuse "$command: $options(-argv) is not an artefact"
  }
  if {[info exists options(-argv)] && [file pathtype $options(-argv)] ne "absolute"} {
    refuse "$command: $options(-argv) is no absolute path; the testbench runs in a folder of the tool's"
  }
  if {[info exists options(-format)] && $options(-format) ni {ip_catalog xo syn_dcp sysgen}} {
    refuse "$command: unknown format $options(-format)"
  }
  if {$command eq "create_clock" && ![string is double -strict $options(-period)]} { refuse "create_clock: no period" }
  if {$command eq "set_top"} { check_top [lindex $words 0] }
  lappend ::done $command
  puts $command
}

proc check_top {name} {
  set file [open top.cpp]
  set text [read $file]
  close $file
  if {![regexp "void ${name}\\(" $text]} { refuse "set_top: top.cpp has no function $name" }
}

cd [lindex $argv 0]
set safe [interp create]
foreach command [dict keys $commands] {
  interp alias $safe $command {} call_$command
  proc call_$command {args} "call $command \$args"
}
interp alias $safe unknown {} refuse_unknown
proc refuse_unknown {args} { refuse "unknown command [lindex $args 0]" }
interp alias $safe exit {} finish
proc finish {args} { exit [expr {[llength $args] > 0 ? [lindex $args 0] : 0}] }
$safe eval [list set argv [concat {-f run_hls.tcl} [lrange $argv 1 end]]]
$safe eval {source run_hls.tcl}
refuse "does not end with exit: Vitis would wait at its prompt"
