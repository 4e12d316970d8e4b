// What the page says, in English and Brazilian Portuguese.
// A pair is singular and plural; zero takes the plural.

const words = {
  en: {
    skip: "Skip to content", views: "Views", lists: "Lists", cluster: "Cluster", api: "API", logIn: "Log in", logOut: "Log out",
    yourLists: "Your lists", newList: "New list", addList: "Add list", left: ["{n} left", "{n} left"],
    renameList: "Rename list", listName: "Name of the list", listActions: "List actions", completeAll: "Complete all tasks", deleteList: "Delete list",
    newTask: "What needs to be done?", tasks: "Tasks", show: "Show", all: "All", active: "Active", completed: "Completed",
    itemsLeft: ["{n} item left", "{n} items left"], clear: "Clear completed", showAll: "Show all",
    edit: "Edit title", taskTitle: "Title of the task", taskMenu: "Task actions", actions: "Actions for {title}", reorder: "Reorder {title}", deleteTask: "Delete {title}",
    dueDate: "Due date", addDue: "Add a due date to {title}", changeDue: "Change the due date of {title}, {date}", overdue: "Overdue · {date}",
    today: "Today", tomorrow: "Tomorrow", nextWeek: "In a week", date: "Date", removeDate: "Remove date",
    moveUp: "Move up", moveDown: "Move down", moveTo: "Move to", delete: "Delete", position: "{title}: position {n} of {total}",
    deleted: "“{title}” deleted", moved: "“{title}” moved to {list}", cleared: ["{n} completed task deleted", "{n} completed tasks deleted"], undo: "Undo", dismiss: "Dismiss",
    notSaved: "Not saved", changedElsewhere: "Changed elsewhere", resolve: "Changed elsewhere: choose a version of {title}",
    database: ["The database is unreachable: {n} change is waiting and will be sent", "The database is unreachable: {n} changes are waiting and will be sent"],
    offline: ["You are offline: {n} change is waiting and will be sent", "You are offline: {n} changes are waiting and will be sent"],
    databaseIdle: "The database is unreachable. You can go on working: changes will be sent when it is back", tryNow: "Try now", allSaved: "All changes are saved", loading: "Loading tasks",
    offlineIdle: "You are offline. You can go on working: changes will be sent when you are back",
    unreachable: ["The service can’t be reached: {n} change is waiting and will be sent", "The service can’t be reached: {n} changes are waiting and will be sent"],
    unreachableIdle: "The service can’t be reached. You can go on working: changes will be sent when it is back",
    error: ["The service reports an error ({detail}): {n} change is waiting and will be sent again", "The service reports an error ({detail}): {n} changes are waiting and will be sent again"],
    errorIdle: "The service reports an error ({detail}) and is asked again",
    signedOut: ["You are logged out: {n} change is waiting. Log in in another window, then try again", "You are logged out: {n} changes are waiting. Log in in another window, then try again"],
    signedOutIdle: "You are logged out. Log in in another window, then try again",
    refused: "“{title}” was not saved: {detail}", listGone: "“{name}” was deleted elsewhere", noSuchList: "This list doesn’t exist any more", moreLists: "Show more lists",
    emptyTitle: "This list is empty", emptyText: "Type what needs to be done in the field above and press Enter.",
    noActiveTitle: "Everything is done", noActiveText: "Add the next task above, or look at what you completed.",
    noDoneTitle: "Nothing is completed yet", noDoneText: "Tick a task and it will be kept here until you clear it.",
    firstTitle: "Start with a list", firstText: "A list holds tasks: groceries, the steps of a course, what is left before a release. Name your first one and press Enter.",
    readOnlyTitle: "There are no lists yet", readOnlyText: "Log in to add something.",
    conflictListTitle: "This list was changed elsewhere", mineDeleted: "You deleted the task", mineDeletedList: "You deleted the list", theirsDeletedList: "The list was deleted", fieldName: "Name",
    conflictTitle: "This task was changed elsewhere", conflictText: "Your change isn’t saved yet. Choose the version to keep.", yours: "Yours", theirs: "Theirs", at: "at {time}",
    fieldTitle: "Title", fieldDue: "Due date", fieldDone: "Completed", yes: "Yes", no: "No", none: "None", theirsDeleted: "The task was deleted", keepMine: "Keep mine", takeTheirs: "Take theirs", later: "Decide later",
    start: "Start", stop: "Stop", rate: "Requests per second", answered: "answered", unavailable: "503 unavailable", failed: "failed", since: "since", strip: "Last 200 answers", pods: "Pods",
    legend: "Legend", keyOld: "Version {v}, outlined", keyNew: "Version {v}, filled", key503: "503: the database is unreachable", keyFail: "Failed",
    stripLabel: "Last {n} answers: {pods}; {out} were 503; {bad} failed", pod: "Pod", version: "Version", database: "Database", known: "Lists known", answers: "Answers", median: "Median", slowest: "Slowest", up: "Up since", ms: "{n} ms", gone: "last answered at {time}",
    numbers: ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"],
    sayIdle: "Press Start to send small requests, each on a new connection, and see which pod answers.",
    sayOne: "Only one pod has answered: there may be one replica, or `kubectl port-forward`, which always leads to the same pod.",
    saySingle: "Only one pod answers now; {n} answered before.",
    sayMixed: "Some pods use SQLite and others PostgreSQL: the replicas are being replaced.",
    sayShared: "{N} pods answer and all know the same {lists} lists: they share one PostgreSQL database.",
    sayApart: "{N} pods answer and each knows other lists: with SQLite every replica has its own database.",
    sayEqual: "{N} pods answer. Each has its own SQLite database; so far they hold the same number of lists.",
    sayRollout: ["Version {old} is being replaced by {new}; {n} request failed.", "Version {old} is being replaced by {new}; {n} requests failed."],
    sayRolled: ["Version {old} was replaced by {new}; {n} request failed.", "Version {old} was replaced by {new}; {n} requests failed."],
    sayOut: ["The database is unreachable: the pods answer 503 and recover by themselves. {n} request failed.", "The database is unreachable: the pods answer 503 and recover by themselves. {n} requests failed."],
    sayBack: "The database is back after {s} s: {out} requests were answered with 503; {n} failed.",
    sayFailed: ["{n} request failed. Look at `kubectl get pods` and `kubectl get events`.", "{n} requests failed. Look at `kubectl get pods` and `kubectl get events`."],
  },
  "pt-BR": {
    skip: "Ir para o conteúdo", views: "Telas", lists: "Listas", cluster: "Cluster", api: "API", logIn: "Entrar", logOut: "Sair",
    yourLists: "Suas listas", newList: "Nova lista", addList: "Adicionar lista", left: ["falta {n}", "faltam {n}"],
    renameList: "Renomear lista", listName: "Nome da lista", listActions: "Ações da lista", completeAll: "Concluir todas as tarefas", deleteList: "Excluir lista",
    newTask: "O que precisa ser feito?", tasks: "Tarefas", show: "Mostrar", all: "Todas", active: "Pendentes", completed: "Concluídas",
    itemsLeft: ["Falta {n} item", "Faltam {n} itens"], clear: "Limpar concluídas", showAll: "Mostrar todas",
    edit: "Editar título", taskTitle: "Título da tarefa", taskMenu: "Ações da tarefa", actions: "Ações de {title}", reorder: "Reordenar {title}", deleteTask: "Excluir {title}",
    dueDate: "Prazo", addDue: "Definir um prazo para {title}", changeDue: "Alterar o prazo de {title}, {date}", overdue: "Atrasada · {date}",
    today: "Hoje", tomorrow: "Amanhã", nextWeek: "Em uma semana", date: "Data", removeDate: "Remover prazo",
    moveUp: "Mover para cima", moveDown: "Mover para baixo", moveTo: "Mover para", delete: "Excluir", position: "{title}: posição {n} de {total}",
    deleted: "“{title}” foi excluída", moved: "“{title}” foi movida para {list}", cleared: ["{n} tarefa concluída foi excluída", "{n} tarefas concluídas foram excluídas"], undo: "Desfazer", dismiss: "Fechar",
    notSaved: "Não salva", changedElsewhere: "Alterada em outro lugar", resolve: "Alterada em outro lugar: escolha uma versão de {title}",
    database: ["O banco de dados está inacessível: {n} alteração está na fila e será enviada", "O banco de dados está inacessível: {n} alterações estão na fila e serão enviadas"],
    offline: ["Você está sem conexão: {n} alteração está na fila e será enviada", "Você está sem conexão: {n} alterações estão na fila e serão enviadas"],
    databaseIdle: "O banco de dados está inacessível. Você pode continuar: as alterações serão enviadas quando ele voltar", tryNow: "Tentar agora", allSaved: "Todas as alterações foram salvas", loading: "Carregando tarefas",
    offlineIdle: "Você está sem conexão. Você pode continuar: as alterações serão enviadas quando a conexão voltar",
    unreachable: ["O serviço está inacessível: {n} alteração está na fila e será enviada", "O serviço está inacessível: {n} alterações estão na fila e serão enviadas"],
    unreachableIdle: "O serviço está inacessível. Você pode continuar: as alterações serão enviadas quando ele voltar",
    error: ["O serviço informa um erro ({detail}): {n} alteração está na fila e será reenviada", "O serviço informa um erro ({detail}): {n} alterações estão na fila e serão reenviadas"],
    errorIdle: "O serviço informa um erro ({detail}); uma nova tentativa será feita",
    signedOut: ["Você saiu: {n} alteração está na fila. Entre em outra janela e tente de novo", "Você saiu: {n} alterações estão na fila. Entre em outra janela e tente de novo"],
    signedOutIdle: "Você saiu. Entre em outra janela e tente de novo",
    refused: "“{title}” não foi salva: {detail}", listGone: "“{name}” foi excluída em outro lugar", noSuchList: "Esta lista não existe mais", moreLists: "Mostrar mais listas",
    emptyTitle: "Esta lista está vazia", emptyText: "Digite no campo acima o que precisa ser feito e pressione Enter.",
    noActiveTitle: "Tudo pronto", noActiveText: "Adicione a próxima tarefa acima ou veja o que você já concluiu.",
    noDoneTitle: "Nada foi concluído ainda", noDoneText: "Marque uma tarefa e ela ficará aqui até você limpar.",
    firstTitle: "Comece com uma lista", firstText: "Uma lista guarda tarefas: as compras, os passos de um curso, o que falta para uma versão. Dê um nome à primeira e pressione Enter.",
    readOnlyTitle: "Ainda não há listas", readOnlyText: "Entre para adicionar algo.",
    conflictListTitle: "Esta lista foi alterada em outro lugar", mineDeleted: "Você excluiu a tarefa", mineDeletedList: "Você excluiu a lista", theirsDeletedList: "A lista foi excluída", fieldName: "Nome",
    conflictTitle: "Esta tarefa foi alterada em outro lugar", conflictText: "Sua alteração ainda não foi salva. Escolha qual versão manter.", yours: "A sua", theirs: "A outra", at: "às {time}",
    fieldTitle: "Título", fieldDue: "Prazo", fieldDone: "Concluída", yes: "Sim", no: "Não", none: "Nenhum", theirsDeleted: "A tarefa foi excluída", keepMine: "Manter a minha", takeTheirs: "Usar a outra", later: "Decidir depois",
    start: "Iniciar", stop: "Parar", rate: "Requisições por segundo", answered: "respondidas", unavailable: "503 indisponível", failed: "falhas", since: "desde", strip: "Últimas 200 respostas", pods: "Pods",
    legend: "Legenda", keyOld: "Versão {v}, contorno", keyNew: "Versão {v}, preenchida", key503: "503: banco de dados inacessível", keyFail: "Falha",
    stripLabel: "Últimas {n} respostas: {pods}; {out} foram 503; {bad} falharam", pod: "Pod", version: "Versão", database: "Banco", known: "Listas", answers: "Respostas", median: "Mediana", slowest: "Mais lenta", up: "No ar desde", ms: "{n} ms", gone: "última resposta às {time}",
    numbers: ["Nenhum", "Um", "Dois", "Três", "Quatro", "Cinco", "Seis", "Sete", "Oito", "Nove", "Dez"],
    sayIdle: "Clique em Iniciar para enviar pequenas requisições, cada uma em uma conexão nova, e ver qual pod responde.",
    sayOne: "Só um pod respondeu: talvez haja uma única réplica, ou você esteja usando `kubectl port-forward`, que leva sempre ao mesmo pod.",
    saySingle: "Só um pod responde agora; antes, {n} respondiam.",
    sayMixed: "Alguns pods usam SQLite e outros PostgreSQL: as réplicas estão sendo substituídas.",
    sayShared: "{N} pods respondem e todos conhecem as mesmas {lists} listas: eles compartilham um banco PostgreSQL.",
    sayApart: "{N} pods respondem e cada um conhece listas diferentes: com SQLite, cada réplica tem o próprio banco de dados.",
    sayEqual: "{N} pods respondem. Cada um tem o próprio banco SQLite; por enquanto, todos têm o mesmo número de listas.",
    sayRollout: ["A versão {old} está sendo substituída pela {new}; {n} requisição falhou.", "A versão {old} está sendo substituída pela {new}; {n} requisições falharam."],
    sayRolled: ["A versão {old} foi substituída pela {new}; {n} requisição falhou.", "A versão {old} foi substituída pela {new}; {n} requisições falharam."],
    sayOut: ["O banco de dados está inacessível: os pods respondem 503 e se recuperam sozinhos. {n} requisição falhou.", "O banco de dados está inacessível: os pods respondem 503 e se recuperam sozinhos. {n} requisições falharam."],
    sayBack: "O banco de dados voltou depois de {s} s: {out} requisições receberam 503; {n} falharam.",
    sayFailed: ["{n} requisição falhou. Veja `kubectl get pods` e `kubectl get events`.", "{n} requisições falharam. Veja `kubectl get pods` e `kubectl get events`."],
  },
};

const languages = Object.keys(words);

/** The language of the page: the first of the browser's that it has. */
export const lang =
  navigator.languages.map((each) => languages.find((known) => known.slice(0, 2) === each.slice(0, 2).toLowerCase())).find(Boolean) ?? "en";

const number = new Intl.NumberFormat(lang);
export const formatNumber = (n) => number.format(n);

/** The text of a key, with what its braces name; {n} chooses between singular and plural. */
export function t(key, values = {}) {
  let text = words[lang][key];
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? formatNumber(values[name]) : values[name]));
}

/** "Two" for 2: numbers as they begin a sentence, up to ten. */
export const spelled = (n) => words[lang].numbers[n] ?? formatNumber(n);
