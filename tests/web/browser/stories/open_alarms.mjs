// How many alarms are open stands in the head of every page.

export default async function openAlarms(scene) {
  await scene.go("/cameras");
  await scene.until("the number of open alarms", () =>
    document.querySelector("#open-alarms:not([hidden])"),
  );
  return scene.page.$eval("#open-alarms", ({ innerText, title }) => ({ text: innerText, title }));
}
