//! temp
use capable::kernel::{btf::{Btf,VMLINUX}, offsets::{Layout,WANTED}, plan::*, tracer::*, record::Record, filters::Filters};
use capable_common::UniqueBy;
fn main() {
    env_logger::init();
    let a: Vec<String> = std::env::args().collect();
    let layout = Layout::resolve(&Btf::read(std::path::Path::new(VMLINUX), &WANTED).unwrap()).unwrap();
    let hook = match a[1].as_str() { "kprobe"=>Hook::Kprobe, "pair"=>Hook::KprobePair, "fexit"=>Hook::Fexit, _=>Hook::Tracepoint};
    let transport = if a[2]=="perf" {Transport::Perf} else {Transport::Ring};
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let mut t = match Tracer::start(&Request{hook,transport,layout,audited_only: a.len()<4, detail:true, kernel_frames:12,user_frames:0,filters:Filters::default(),follow:false,outcomes:false,unique:UniqueBy::Off,buffer:None,log_level:0}) {Ok(t)=>t,Err(e)=>{eprintln!("{e}");return}};
        eprintln!("attached in {:?} {:?}", t.started_in, t.gaps);
        let end=tokio::time::Instant::now()+std::time::Duration::from_secs(6);
        loop {
            tokio::select!{ r=t.stream.wait()=>r.unwrap(), _=tokio::time::sleep_until(end)=>break }
            t.stream.read(|r| if let Record::Check(e)=r { println!("{} {} {} {} {:?} {:?} {:?} {:?} {:?} ins {:?} par {:?} in {:?} st {:?}", e.check.time, e.check.pid, String::from_utf8_lossy(e.comm()), e.capability(), e.audit(), e.verdict(), e.target_namespace(), e.credentials().map(|c|(c.euid,c.owner)), e.syscall().map(|s|s.number), e.insetid(), e.parent(), e.inner_pids(), match e.kernel_stack {capable::event::Stack::Frames(f)=>f.len(),_=>999}); }).unwrap();
        }
        eprintln!("{:?} {:?}", t.counters().unwrap(), t.missed());
    });
}
